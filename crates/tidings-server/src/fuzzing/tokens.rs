//! Tokens and their claims.

use super::rejections::check_rejection;
use crate::identity::CredentialError;
use crate::token::TokenError;
use crate::token::fuzzing as invariants;

/// Untrusted text is never accepted as a token, and each rejection keeps the invariants of one.
pub fn token(data: &[u8]) {
    check_all(invariants::token(data));
}

/// Signed claims are rejected with their fault, or name an owner until they expire.
pub fn claims(data: &[u8]) {
    check_all(invariants::claims(data));
}

/// A list of revoked tokens is rejected whole, or can be written and read again.
pub fn revocation_list(data: &[u8]) {
    invariants::revocation_list(data);
}

/// An issuer's key set that is accepted has keys, and every token can be judged by them.
pub fn key_set(data: &[u8]) {
    invariants::key_set(data);
}

fn check_all(rejected: Vec<TokenError>) {
    for error in rejected {
        check_rejection(&CredentialError::from(error).into());
    }
}
