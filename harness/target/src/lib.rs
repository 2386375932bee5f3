//! An implementation under test: process, container or url
