//! The built binary, as its users meet it: started, killed, filled up, tailed.

mod backup;
mod command_line;
mod crash;
mod disk;
mod lifecycle;
mod server;
mod stalled;
mod stream;
