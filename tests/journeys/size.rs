//! Every component that ships is within 1.5 MiB.

use dunlin::manifest::Manifest;
use dunlin_tests::workspace;

/// What a component may weigh: platforms load it when the first request comes.
const MOST_BYTES: u64 = 3 << 19;

#[test]
fn every_component_is_within_its_size() {
    dunlin_tests::components();
    for name in ["spin.toml", "schedule.toml"] {
        let manifest = Manifest::load(&workspace().join(name)).unwrap();
        assert!(!manifest.components.is_empty(), "{name}");
        for (id, component) in &manifest.components {
            let bytes = std::fs::metadata(manifest.source(component)).unwrap().len();
            assert!(bytes <= MOST_BYTES, "{id} has {bytes} bytes, {MOST_BYTES} are the most");
        }
    }
}
