//! The path of a Unix-domain socket: whose it is, before binding and after.

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf, absolute};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{SockAddr, Socket};

use crate::sys;
use crate::sys::child::process_id;

/// Keeps servers that are started or closed at once in one directory one after the other, from the look at a path until
/// the server there listens, or the path is gone: one that does not listen yet, or no more, looks as if it were dead.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    _directory: Option<File>,
}

impl DirectoryLock {
    /// Takes it, if it can be had within a second: whoever else may hold it has nothing to do with us.
    pub(super) fn take(path: &Path) -> Self {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // What is no directory must not be opened: a FIFO would wait for its other end.
        let Ok(directory) = File::options().read(true).custom_flags(libc::O_DIRECTORY).open(parent) else {
            return Self { _directory: None };
        };
        let deadline = Instant::now() + Duration::from_secs(1);
        while sys::lock::try_lock(directory.as_fd()).is_err() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        Self { _directory: Some(directory) }
    }
}

/// A path that this process bound, and takes away when it is dropped, unless it has become another's.
#[derive(Debug)]
pub(super) struct BoundPath {
    /// Absolute: the process may leave its directory, as a daemon does.
    path: PathBuf,
    device: u64,
    inode: u64,
    process: u32,
}

/// Binds `socket` to `path`. A socket that a dead server left there is replaced; one of a live server, or anything
/// else, is an [`AddrInUse`](io::ErrorKind::AddrInUse) error and left as it is.
pub(super) fn bind(socket: &Socket, path: &Path, mode: Option<u32>) -> io::Result<BoundPath> {
    let address = SockAddr::unix(path)?;
    if let Some(mode) = mode.filter(|_| cfg!(any(target_os = "linux", target_os = "android"))) {
        // The mode of an unbound socket is what bind(2) gives to the path, less the umask: the path is never, not
        // for a moment, open to more than `mode`. Elsewhere fchmod(2) refuses sockets; a stream can be connected to
        // only after listen(2), when the path has its mode.
        File::from(OwnedFd::from(socket.try_clone()?)).set_permissions(Permissions::from_mode(mode))?;
    }
    if let Err(error) = socket.bind(&address) {
        if error.kind() != io::ErrorKind::AddrInUse {
            return Err(error);
        }
        remove_stale(socket, path, &address)?;
        socket.bind(&address)?;
    }
    let metadata = fs::symlink_metadata(path)?;
    let bound =
        BoundPath { path: absolute(path)?, device: metadata.dev(), inode: metadata.ino(), process: process_id() };
    if let Some(mode) = mode {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok(bound)
}

impl BoundPath {
    /// Takes it away while no other server starts there: one could bind the path between the look at it and the unlink(2).
    pub(super) fn unlink(self) {
        let _lock = (self.process == process_id()).then(|| DirectoryLock::take(&self.path));
        drop(self);
    }
}

impl Drop for BoundPath {
    fn drop(&mut self) {
        // A forked child has a copy of this value, and a successor may have bound the path anew.
        let is_ours = |metadata: Metadata| (metadata.dev(), metadata.ino()) == (self.device, self.inode);
        if self.process == process_id() && fs::symlink_metadata(&self.path).is_ok_and(is_ours) {
            // It can only be gone by now, which is as well.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes what is at `path` if it is a socket that nobody listens on.
fn remove_stale(socket: &Socket, path: &Path, address: &SockAddr) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if !found.file_type().is_socket() {
        return Err(in_use("it is there already, and is not a socket"));
    }
    let probe = Socket::new(socket2::Domain::UNIX, socket.r#type()?, None)?;
    probe.set_nonblocking(true)?;
    match probe.connect(address) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
        // Connected; or its queue is full (EAGAIN), it is of the other type (EPROTOTYPE), not ours to ask (EACCES).
        _ => return Err(in_use("a server is listening there")),
    }
    let now = fs::symlink_metadata(path)?;
    if (now.dev(), now.ino()) != (found.dev(), found.ino()) {
        return Err(in_use("another server has just been started there"));
    }
    fs::remove_file(path)
}

fn in_use(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::AddrInUse, why)
}
