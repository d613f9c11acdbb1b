//! A disk that fails on demand, below the database of a real process: a library that is loaded before all others.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use super::Deployment;

/// `ENOSPC`: no space is left on the device.
pub const NO_SPACE: i64 = 28;
/// `EIO`: the device failed.
pub const IO_ERROR: i64 = 5;

/// The writes and syncs below a folder.
pub struct Disk {
    control: File,
}

impl Disk {
    /// Installs one below the future processes of a deployment.
    pub fn below(deployment: &mut Deployment, folder: &Path) -> Self {
        let path = deployment.path("disk-faults");
        let control = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).unwrap();
        control.set_len(4096).unwrap();
        deployment
            .set("LD_PRELOAD", library().to_str().unwrap())
            .set("FAULT_CONTROL", path.to_str().unwrap())
            .set("FAULT_DIRECTORY", folder.to_str().unwrap());
        Self { control }
    }

    /// Lets a number of operations through, and fails a number after them.
    pub fn fail(&self, errno: i64, after: i64, count: i64) {
        self.set(1, 0);
        self.set(2, errno);
        self.set(0, after);
        self.set(1, count);
    }

    /// Stops failing.
    pub fn heal(&self) {
        self.set(1, 0);
    }

    /// Returns the number of failed operations.
    pub fn failed(&self) -> i64 {
        let mut bytes = [0; 8];
        self.control.read_exact_at(&mut bytes, 4 * 8).unwrap();
        i64::from_ne_bytes(bytes)
    }

    fn set(&self, slot: u64, value: i64) {
        self.control.write_all_at(&value.to_ne_bytes(), slot * 8).unwrap();
    }
}

/// Compiles the library, once.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let library = std::env::temp_dir().join(format!("tieline-disk-faults-{}.so", std::process::id()));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/disk_faults.c");
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
        assert!(compiled.unwrap().success(), "{source} does not compile");
        library
    })
}
