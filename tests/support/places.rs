//! Directories for the paths of Unix-domain sockets, gone when the test is over.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// A directory of its own.
#[derive(Debug)]
pub struct Place {
    directory: PathBuf,
}

impl Place {
    /// An empty one. Its name is short: the path of a socket may have 107 bytes.
    pub fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);

        loop {
            let name = format!("sockets-{}-{}", process::id(), NEXT.fetch_add(1, SeqCst));
            let directory = std::env::temp_dir().join(name);
            match fs::create_dir(&directory) {
                // A process of the same number was killed, and has left it.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    made.expect("a new directory for sockets");
                    return Self { directory };
                }
            }
        }
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The directory itself.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}
