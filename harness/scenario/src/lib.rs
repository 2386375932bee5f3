//! The scenario file: model, binding, validation, JSON Schema
