//! The binary under test.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// Names a binary to test instead of building one.
const BINARY_VARIABLE: &str = "TENANTRY_TEST_BINARY";

/// The path of `tenantry`, built with the profile that the test itself was built with. Cargo builds a package's binary
/// only for that package's own tests, so it is asked to, once per process; that is quick where nothing has changed.
///
/// # Panics
/// If it cannot be built.
pub(crate) fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| match std::env::var_os(BINARY_VARIABLE) {
        Some(path) => path.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let place = Place::of_this_test();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from(env!("CARGO")));
    let output = Command::new(cargo)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(["build", "--quiet", "--package", "tenantry-app", "--bin", "tenantry"])
        .args(["--message-format", "json-render-diagnostics", "--profile", &place.profile])
        .arg("--target-dir")
        .arg(&place.target)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "the binary under test does not build");
    let messages = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?)))
        .expect("cargo says where it put the binary")
}

/// Where this test was built, and how.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    target: PathBuf,
    profile: String,
}

impl Place {
    fn of_this_test() -> Self {
        Self::of(&std::env::current_exe().expect("a process knows its own file"))
    }

    /// From a path as `<target>/<profile>/deps/<test>` or `<target>/<triple>/<profile>/deps/<test>`.
    fn of(test: &Path) -> Self {
        let directory = test.ancestors().nth(2).expect("a test is built below a target directory");
        let name = directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let profile = if name == "debug" { "dev" } else { name };
        let parent = directory.parent().expect("a target directory");
        let marked = parent.ancestors().find(|directory| directory.join("CACHEDIR.TAG").is_file());
        Self { target: marked.unwrap_or(parent).to_owned(), profile: profile.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_test_tells_target_directory_and_profile() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("target");
        std::fs::create_dir(&target).unwrap();
        std::fs::write(target.join("CACHEDIR.TAG"), "").unwrap();
        for (path, profile) in [
            ("debug/deps/test-1", "dev"),
            ("release/deps/test-1", "release"),
            ("x86_64-unknown-linux-musl/checked/deps/test-1", "checked"),
        ] {
            let expected = Place { target: target.clone(), profile: profile.to_owned() };
            assert_eq!(Place::of(&target.join(path)), expected);
        }
    }
}
