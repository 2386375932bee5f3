//! YAML to a tree of nodes with source spans, and errors with carets
