//! The built binary, as its users meet it: started, killed, filled up, tailed.

mod access;
mod backup;
mod command_line;
mod converge;
mod crash;
mod crash_changes;
mod delete;
mod disk;
mod doctor;
mod exchange;
mod inbox;
mod isolation;
mod lifecycle;
mod limits;
mod login;
mod look;
mod lost_answers;
mod place;
mod publish_lines;
mod retention;
mod server;
mod stalled;
mod stream;
mod terminal;
mod tls;
mod token;
