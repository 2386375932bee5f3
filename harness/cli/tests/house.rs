//! The walls of the house, held over `cargo metadata`: harness and reference meet only over the wire, and
//! the harness's arrows point one way.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// The one crate that both halves may use.
const LEAF: &str = "edgeproof-diagnostics";
/// The one crate that sees both halves.
const COMMAND_LINE: &str = "edgeproof";

/// What each crate of the harness may use of the others (DESIGN: cli → workbench, report → runner →
/// target, load, journey → scenario → diagnostics).
const ARROWS: [(&str, &[&str]); 9] = [
    ("edgeproof-diagnostics", &[]),
    ("edgeproof-scenario", &[LEAF]),
    ("edgeproof-load", &[]),
    ("edgeproof-target", &[LEAF, "edgeproof-scenario"]),
    ("edgeproof-journey", &[LEAF, "edgeproof-scenario", "edgeproof-load"]),
    (
        "edgeproof-runner",
        &[LEAF, "edgeproof-scenario", "edgeproof-target", "edgeproof-load", "edgeproof-journey"],
    ),
    ("edgeproof-report", &[LEAF, "edgeproof-runner"]),
    ("edgeproof-workbench", &[LEAF, "edgeproof-scenario"]),
    (
        COMMAND_LINE,
        &[
            LEAF,
            "edgeproof-scenario",
            "edgeproof-target",
            "edgeproof-load",
            "edgeproof-runner",
            "edgeproof-report",
            "edgeproof-workbench",
            "edgeproof-fleet",
            "edgeproof-proxy",
            "edgeproof-accesslog",
            "edgeproof-mutant",
        ],
    ),
];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".to_owned(), "--locked".to_owned()])
        .exec()
        .expect("cargo metadata")
}

/// Package → (its folder's first part, the packages of this workspace that it uses; tests included).
fn house() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let metadata = metadata();
    let names: BTreeSet<String> = metadata.packages.iter().map(|p| p.name.to_string()).collect();
    metadata
        .packages
        .iter()
        .map(|package| {
            let folder = package
                .manifest_path
                .strip_prefix(&metadata.workspace_root)
                .expect("a member is below the root")
                .components()
                .next()
                .expect("a folder")
                .to_string();
            let uses = package
                .dependencies
                .iter()
                .filter(|d| names.contains(&d.name))
                .filter(|d| {
                    matches!(
                        d.kind,
                        DependencyKind::Normal
                            | DependencyKind::Build
                            | DependencyKind::Development
                    )
                })
                .map(|d| d.name.clone())
                .collect();
            (package.name.to_string(), (folder, uses))
        })
        .collect()
}

#[test]
fn harness_and_reference_meet_only_over_the_wire() {
    let house = house();
    for (name, (folder, uses)) in &house {
        for used in uses {
            if used == LEAF || name == COMMAND_LINE {
                continue;
            }
            assert_eq!(
                folder, &house[used].0,
                "{name} in {folder}/ uses {used} in {}/",
                house[used].0
            );
        }
    }
}

#[test]
fn the_harness_arrows_point_one_way() {
    let house = house();
    for (name, (folder, uses)) in &house {
        if folder != "harness" {
            continue;
        }
        let (_, allowed) = ARROWS
            .iter()
            .find(|(crate_name, _)| crate_name == name)
            .unwrap_or_else(|| panic!("{name} has no place in the table of arrows"));
        for used in uses {
            assert!(allowed.contains(&used.as_str()), "{name} may not use {used}");
        }
    }
}

#[test]
fn only_the_command_line_uses_the_reference() {
    for (name, (folder, uses)) in &house() {
        if folder == "harness" && name != COMMAND_LINE {
            let reference: Vec<_> =
                uses.iter().filter(|used| house()[*used].0 == "reference").collect();
            assert!(reference.is_empty(), "{name} uses {reference:?}");
        }
    }
}
