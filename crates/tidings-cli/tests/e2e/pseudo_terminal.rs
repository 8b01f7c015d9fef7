//! Pseudo-terminals.

use std::fs::{File, OpenOptions};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Opens a pseudo-terminal. Returns the user's side and the programs' side.
pub(crate) fn open() -> (File, File) {
    let user = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&user)
        .and_then(|()| unlockpt(&user))
        .expect("it is ours");
    let name = ptsname(&user, Vec::new()).expect("it has a name");
    let programs = OpenOptions::new()
        .read(true)
        .write(true)
        .open(name.to_str().expect("a plain path"))
        .expect("it opens");
    (user.into(), programs)
}
