//! The file of revoked tokens, for programs that move its tokens.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use jiff::Timestamp;
use tidings::wire::RevokedToken;

use super::revocation_file::append;
use super::revocation_list::{self as list, List};
use crate::regular_file;

/// A file of revoked tokens, such as [`TokenConfig::revocation_file`](crate::TokenConfig::revocation_file) names.
#[derive(Clone, Debug)]
pub struct RevokedFile {
    path: PathBuf,
}

impl RevokedFile {
    /// The file at a path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Its tokens, without those that have expired.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is not a list of tokens.
    pub fn tokens(&self) -> io::Result<Vec<RevokedToken>> {
        let listed = self.read()?.into_iter();
        let listed = listed.map(|(id, until)| RevokedToken::new(id, until));
        Ok(listed.filter(Self::is_needed).collect())
    }

    /// Adds the tokens that it lacks, without those that have expired. A missing file is created. Returns how many
    /// were added; they are on the disk.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written.
    pub fn add(&self, tokens: &[RevokedToken]) -> io::Result<usize> {
        let mut options = OpenOptions::new();
        let options = options.append(true).create(true).mode(0o600);
        regular_file::open_with(options, &self.path)?;
        let known = self.read()?;
        let is_missing = |token: &&RevokedToken| {
            let until = known.get(token.id.as_str());
            until.is_none_or(|until| list::longer(*until, token.until) != *until)
        };
        let mut lines = String::new();
        let mut added = 0;
        for token in tokens
            .iter()
            .filter(|token| Self::is_needed(token))
            .filter(is_missing)
        {
            if !list::is_listable(&token.id) {
                let fault = format!("the id {:?} cannot stand in a list", token.id);
                return Err(io::Error::new(io::ErrorKind::InvalidInput, fault));
            }
            lines.push_str(&list::line(&token.id, token.until));
            added += 1;
        }
        if added > 0 {
            append(&self.path, &lines)?;
        }
        Ok(added)
    }

    /// Whether a token would be accepted if it were not revoked.
    pub fn is_needed(token: &RevokedToken) -> bool {
        list::is_needed(token.until, Timestamp::now())
    }

    fn read(&self) -> io::Result<List> {
        let (file, _) = regular_file::open(&self.path)?;
        let mut text = Vec::new();
        file.take(list::MAX_LIST_BYTES).read_to_end(&mut text)?;
        list::read(&text, Timestamp::now())
            .map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, fault))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn token(id: &str, until: Option<Timestamp>) -> RevokedToken {
        RevokedToken::new(id, until)
    }

    #[test]
    fn adds_what_is_missing_and_needed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("revoked");
        let file = RevokedFile::new(&path);
        assert!(file.tokens().is_err(), "there is no file");
        let now = Timestamp::now();
        let hour = jiff::SignedDuration::from_hours(1);
        let tokens = [
            token("forever", None),
            token("later", Some(now + hour)),
            token("over", Some(now - hour)),
        ];
        assert_eq!(file.add(&tokens).unwrap(), 2);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(file.add(&tokens).unwrap(), 0);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        let longer = [token("later", Some(now + hour + hour))];
        assert_eq!(file.add(&longer).unwrap(), 1);
        let mut read = file.tokens().unwrap();
        read.sort_by(|one, other| one.id.cmp(&other.id));
        assert_eq!(read, [tokens[0].clone(), longer[0].clone()]);
        let unfit = [token("a b", None)];
        assert!(file.add(&unfit).is_err());
    }
}
