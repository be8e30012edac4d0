//! Tests with a real component.
