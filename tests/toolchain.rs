//! The promised Rust version: one figure in `Cargo.toml`, `rust-toolchain.toml`, the documents, and no dependency above it.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

/// A version as its numbers, for comparing.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or_else(|_| panic!("{version:?} is not a version"))).collect()
}

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The value of the first line `name = "value"`.
fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let of_line = |line: &'a str| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"');
    text.lines().find_map(of_line).unwrap_or_else(|| panic!("no {name}"))
}

/// The versions that a text promises as "Rust 1.2 or newer".
fn promised(text: &str) -> Vec<&str> {
    let promises = text.split("Rust ").filter_map(|rest| rest.split_once(" or newer"));
    promises.map(|(version, _)| version).filter(|version| !version.contains(char::is_whitespace)).collect()
}

fn metadata() -> Value {
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let about = String::from_utf8(rustc.stdout).unwrap();
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = ["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", host];
    let output = Command::new(cargo).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn one_rust_version_is_promised_and_enough() {
    let workspace = read("Cargo.toml");
    let least = value(&workspace, "rust-version");
    let toolchain = read("rust-toolchain.toml");
    let pinned = value(&toolchain, "channel");
    assert_eq!(numbers(pinned).len(), 3, "a channel that moves breaks a build overnight");
    assert!(numbers(pinned) >= numbers(least), "rust-toolchain.toml has {pinned}, Cargo.toml promises {least}");
    for document in ["README.md", "CONTRIBUTING.md"] {
        assert_eq!(promised(&read(document)), [least], "{document}");
    }
    let metadata = metadata();
    let mut members = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let (name, needs) = (&package["name"], &package["rust_version"]);
        if package["source"].is_null() {
            assert_eq!(needs, least, "{name} does not inherit the workspace's rust-version");
            members += 1;
        } else if let Some(needs) = needs.as_str() {
            assert!(numbers(needs) <= numbers(&format!("{least}.0")), "{name} needs Rust {needs}");
        }
    }
    assert_eq!(members, metadata["workspace_members"].as_array().unwrap().len());
}

#[test]
fn a_promise_is_found_in_a_text() {
    assert_eq!(promised("Rust is needed: Rust 1.2 or newer. In Rust, Rust 1.3 or newer"), ["1.2", "1.3"]);
    assert!(numbers("1.100") > numbers("1.95.0") && numbers("1.94") < numbers("1.94.0"));
}
