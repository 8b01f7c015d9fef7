//! The built binary, as its users meet it: started, killed, filled up, tailed.

mod backup;
mod command_line;
mod crash;
mod disk;
mod doctor;
mod lifecycle;
mod look;
mod lost_answers;
mod publish_lines;
mod server;
mod stalled;
mod stream;
mod terminal;
