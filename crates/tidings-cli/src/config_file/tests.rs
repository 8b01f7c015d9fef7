//! What a file adds to a command line, and what is wrong with one.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use clap::CommandFactory as _;
use tempfile::TempDir;

use super::complete;
use crate::Cli;

/// A file with this text.
fn written(text: &str) -> (TempDir, String) {
    let directory = TempDir::new().expect("a directory can be made");
    let path = directory.path().join("tidings.toml");
    fs::write(&path, text).expect("writable");
    let path = path.to_str().expect("UTF-8").to_owned();
    (directory, path)
}

/// The command line with what a file adds, without the name of the file.
fn with_file(text: &str, more: &[&str]) -> Result<Vec<String>, String> {
    let (_directory, path) = written(text);
    let config = format!("--config={path}");
    let arguments = ["tidings", "serve", &config].into_iter();
    let arguments = arguments.chain(more.iter().copied()).map(OsString::from);
    match complete(&Cli::command(), arguments.collect()) {
        Ok(complete) => Ok(complete
            .into_iter()
            .map(|argument| argument.into_string().expect("UTF-8"))
            .filter(|argument| *argument != config)
            .collect()),
        Err(error) => Err(error.to_string().replace(&path, "F")),
    }
}

#[test]
fn adds_each_setting_as_its_flag() {
    let text = "\
        # Limits\n\
        publish-rate = 1_000\n\
        max-head-bytes = 0x4000\n\
        retain-age = \"90d\"\n\
        demo = true\n\
        public-url = [\"https://a.example\", 'https://b.example/tidings']\n";
    let mut flags = with_file(text, &["--log", "debug"]).expect("it is valid");
    assert_eq!(flags.drain(..2).collect::<Vec<_>>(), ["tidings", "serve"]);
    let of_the_command_line = flags.split_off(flags.len() - 2);
    assert_eq!(of_the_command_line, ["--log", "debug"]);
    flags.sort_unstable();
    assert_eq!(
        flags,
        [
            "--demo",
            "--max-head-bytes=16384",
            "--public-url=https://a.example",
            "--public-url=https://b.example/tidings",
            "--publish-rate=1000",
            "--retain-age=90d",
        ]
    );
}

#[test]
fn a_flag_comes_before_the_file() {
    let text = "listen = \"127.0.0.1:1\"\npublish-rate = 7\ndemo = false";
    let flags = with_file(text, &["--listen=127.0.0.1:2"]).expect("it is valid");
    assert_eq!(
        flags,
        [
            "tidings",
            "serve",
            "--publish-rate=7",
            "--listen=127.0.0.1:2"
        ]
    );
}

#[test]
fn reports_every_fault_with_its_line() {
    let text = "\
        publish-rte = 5\n\
        publish_rate = 5\n\
        retain-age = 'soon'\n\
        auth = 'password'\n\
        \n\
        demo = 'yes'\n\
        listen = ['127.0.0.1:1']\n\
        log-format = [[1]]\n\
        config = 'other.toml'\n\
        data-dir = [['a']]\n\
        public-url = ['https://a.example', 'nonsense']\n\
        max-url-bytes = 99999999999999999999\n\
        [limits]\n\
        request-rate = 5\n";
    let told = with_file(text, &[]).expect_err("it has faults");
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("F:")).collect();
    let expected = [
        "F:1: publish-rte: is no setting: write `publish-rate`",
        "F:2: publish_rate: is no setting: write `publish-rate`",
        "F:3: retain-age: ",
        "F:4: auth: must be one of local, jwt",
        "F:6: demo: is on or off: write true or false",
        "F:7: listen: takes one value: write it without brackets",
        "F:8: log-format: takes one value",
        "F:9: config: is for the command line only",
        "F:10: data-dir: takes one value",
        "F:11: public-url: ",
        "F:12: max-url-bytes: is too large a number",
        "F:13: limits: is a group, and settings have none",
    ];
    assert_eq!(lines.len(), expected.len(), "{told}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.contains(expected), "{line:?} is not {expected:?}");
    }
}

#[test]
fn reports_every_fault_of_the_syntax() {
    let told = with_file("publish-rate = \nlisten = 'a\n= 5\n", &[]).expect_err("it has faults");
    for line in ["F:1: ", "F:2: ", "F:3: "] {
        assert!(told.contains(line), "{told}");
    }
    let twice = with_file("demo = true\ndemo = true", &[]).expect_err("it has faults");
    assert!(
        twice.contains("F:2: ") && twice.contains("duplicate"),
        "{twice}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let missing = ["tidings", "serve", "--config=/nonexistent/tidings.toml"];
    let missing = complete(&Cli::command(), missing.map(OsString::from).to_vec());
    let told = missing.expect_err("it does not exist").to_string();
    assert!(
        told.contains("/nonexistent/tidings.toml: could not be read"),
        "{told}"
    );
    let long = with_file(&"#".repeat(300 * 1024), &[]).expect_err("it is too long");
    assert!(long.contains("F: is longer than 262144 bytes"), "{long}");
}

#[test]
fn a_password_in_a_file_that_others_can_read_is_rejected_and_not_repeated() {
    let (_directory, path) = written("store = 'postgres://tidings:geheim@db/tidings'");
    let try_with = |mode: u32| {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
        let arguments = ["tidings", "serve", "--config", &path].map(OsString::from);
        complete(&Cli::command(), arguments.to_vec())
    };
    let told = try_with(0o644).expect_err("others can read it").to_string();
    assert!(
        told.contains(":1: store: has a password") && !told.contains("geheim"),
        "{told}"
    );
    assert!(try_with(0o640).is_ok());
}

#[test]
fn other_commands_and_the_help_are_left_alone() {
    for arguments in [
        &["tidings", "list", "--json"][..],
        &["tidings", "serve", "--help"],
        &["tidings", "serve", "--nonsense"],
        &["tidings"],
    ] {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let complete = complete(&Cli::command(), arguments.clone());
        assert_eq!(complete.expect("it adds nothing"), arguments);
    }
}
