//! Every block of YAML in the documentation is a configuration that loads.

use super::parse;

const DOCUMENTATION: &str = include_str!("../../../../docs/CONFIG.md");

#[test]
fn every_example_loads_without_a_warning() {
    let blocks: Vec<&str> = DOCUMENTATION
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect();

    let loaded: Vec<_> = blocks.iter().map(|block| (block, parse(block))).collect();

    assert!(loaded.len() > 5, "the documentation has examples");
    for (block, config) in loaded {
        let config = config.unwrap_or_else(|error| panic!("{block}\n{error}"));
        assert!(config.warnings.is_empty(), "{block}\n{:?}", config.warnings);
    }
}
