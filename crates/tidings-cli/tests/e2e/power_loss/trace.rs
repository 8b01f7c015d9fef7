//! Parses the system calls in the output of `strace -f -y -xx`.

use std::collections::HashMap;
use std::path::PathBuf;

/// The calls that change files, sync them or send a response.
pub(super) const CALLS: &str = "openat,mkdir,pwrite64,write,writev,sendto,sendmsg,ftruncate,rename,\
                                unlink,fsync,fdatasync";

/// A system call. Other calls can run between its start and its end.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) name: String,
    /// The path of the first descriptor, or the first text.
    pub(super) path: PathBuf,
    /// All texts, such as paths and written bytes.
    pub(super) texts: Vec<Vec<u8>>,
    /// The last argument if it is a number: an offset or a length.
    pub(super) number: u64,
    pub(super) creates: bool,
    pub(super) result: i64,
    /// The line numbers of its start and its end.
    pub(super) begun: usize,
    pub(super) ended: usize,
}

/// Parses a trace without calls that did not return.
pub(super) fn read(trace: &str) -> Vec<Call> {
    let mut unfinished: HashMap<&str, (usize, &str)> = HashMap::new();
    let mut calls = Vec::new();
    for (line, text) in trace.lines().enumerate() {
        let (process, text) = text.split_once(' ').expect("a line begins with a process");
        let text = text.trim_start();
        if let Some(beginning) = text.strip_suffix(" <unfinished ...>") {
            unfinished.insert(process, (line, beginning));
        } else if text.starts_with("<... ") {
            let (_, end) = text.split_once(" resumed>").expect("a call is resumed");
            let (begun, beginning) = unfinished.remove(process).expect("it was begun");
            calls.extend(call(&format!("{beginning}{end}"), begun, line));
        } else {
            calls.extend(call(text, line, line));
        }
    }
    calls
}

/// Parses `name(arguments) = result`. `None` for a signal or the end of a process.
fn call(text: &str, begun: usize, ended: usize) -> Option<Call> {
    let (call, result) = text.rsplit_once(" = ")?;
    let (name, arguments) = call.split_once('(')?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let result = result.split([' ', '<']).next()?.parse().ok()?;
    let texts: Vec<_> = arguments.split('"').skip(1).step_by(2).map(bytes).collect();
    // `strace -y` appends the path to a descriptor: `7<\x2f\x74\x6d\x70>`.
    let described = arguments.split(['<', '>']).nth(1);
    let of_descriptor = arguments.starts_with(|first: char| first.is_ascii_digit());
    let path = match (of_descriptor, described) {
        (true, Some(path)) => bytes(path),
        _ => texts.first()?.clone(),
    };
    let last = arguments.rsplit(", ").next();
    Some(Call {
        name: name.to_owned(),
        path: PathBuf::from(String::from_utf8(path).ok()?),
        texts,
        number: last.and_then(|last| last.parse().ok()).unwrap_or(0),
        creates: arguments.contains("O_CREAT"),
        result,
        begun,
        ended,
    })
}

/// Decodes `\x2f\x74`.
fn bytes(text: &str) -> Vec<u8> {
    let digits = text.split("\\x").skip(1);
    let byte = |digits: &str| u8::from_str_radix(digits, 16).expect("two hexadecimal digits");
    digits.map(byte).collect()
}
