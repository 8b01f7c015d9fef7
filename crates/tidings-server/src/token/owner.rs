//! Whose events a token is about.

use serde_json::Value;
use tidings_event::OwnerId;

use super::claims::RawClaims;
use super::error::NoOwner;

/// Where the owner is looked for, beyond a subject that is a UUID.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnerRule {
    /// The name of a claim.
    pub(super) claim: Option<Box<str>>,
    /// Make an owner of issuer and subject.
    pub(super) from_subject: bool,
}

impl OwnerRule {
    /// The owner of a token: its `sub` if that is a UUID, else the named claim if that is one, else, if
    /// it is allowed, a UUID made of issuer and subject.
    pub(super) fn owner(&self, claims: &RawClaims) -> Result<OwnerId, NoOwner> {
        let subject = claims.sub.as_deref();
        let own = subject.and_then(OwnerId::of_usual_form);
        // Where owners are made of subjects, a subject that has the form of a made one is only a name:
        // anybody can compute whose it would be.
        if let Some(owner) = own.filter(|owner| !(self.from_subject && owner.is_made())) {
            return Ok(owner);
        }
        let claim = self.claim.as_deref();
        let named = claim.and_then(|name| claims.others.get(name));
        if let Some(owner) = named
            .and_then(Value::as_str)
            .and_then(OwnerId::of_usual_form)
        {
            return Ok(owner);
        }
        if self.from_subject {
            let issuer = claims.iss.as_deref().ok_or(NoOwner::Part("iss"))?;
            let subject = subject.filter(|subject| !subject.is_empty());
            let subject = subject.ok_or(NoOwner::Part("sub"))?;
            return Ok(OwnerId::of_subject(issuer, subject));
        }
        Err(match claim {
            Some(name) => NoOwner::Claim(name.into()),
            None => NoOwner::Subject,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ONE: &str = "7b1d2c3e-0000-4000-8000-000000000001";
    const TWO: &str = "7b1d2c3e-0000-4000-8000-000000000002";

    fn owner_of(rule: &OwnerRule, claims: &Value) -> Result<String, NoOwner> {
        let claims = serde_json::from_value(claims.clone()).unwrap();
        rule.owner(&claims).map(|owner| owner.to_string())
    }

    fn rule(claim: Option<&str>, from_subject: bool) -> OwnerRule {
        OwnerRule {
            claim: claim.map(Box::from),
            from_subject,
        }
    }

    #[test]
    fn nobody_gets_anothers_made_owner_by_its_name() {
        let alices = OwnerId::of_subject("i", "alice").to_string();
        let claims = json!({"iss": "i", "sub": alices});
        let made = owner_of(&rule(None, true), &claims).unwrap();
        assert_ne!(made, alices);
        assert_eq!(made, OwnerId::of_subject("i", &alices).to_string());
        // Where none are made, it is a UUID like others.
        assert_eq!(owner_of(&rule(None, false), &claims), Ok(alices));
    }

    #[test]
    fn a_subject_that_is_a_uuid_is_the_owner_whatever_else_is_there() {
        let claims = json!({"iss": "i", "sub": ONE.to_uppercase(), "tenant": TWO});
        for rule in [rule(None, false), rule(Some("tenant"), true)] {
            assert_eq!(owner_of(&rule, &claims), Ok(ONE.to_owned()));
        }
    }

    #[test]
    fn other_forms_of_a_uuid_and_nil_are_no_owner() {
        for subject in [
            &ONE.replace('-', ""),
            &format!("{{{ONE}}}"),
            &format!("urn:uuid:{ONE}"),
            &format!(" {ONE}"),
            "00000000-0000-0000-0000-000000000000",
            "",
            "alice",
        ] {
            let owner = owner_of(&rule(None, false), &json!({ "sub": subject }));
            assert_eq!(owner, Err(NoOwner::Subject), "{subject}");
        }
        assert_eq!(
            owner_of(&rule(None, false), &json!({})),
            Err(NoOwner::Subject)
        );
    }

    #[test]
    fn the_named_claim_is_looked_at_next() {
        let rule = rule(Some("https://x.example/owner"), false);
        let claims = json!({"sub": "alice", "https://x.example/owner": TWO});
        assert_eq!(owner_of(&rule, &claims), Ok(TWO.to_owned()));
        for odd in [json!(null), json!("bob"), json!([TWO]), json!(7)] {
            let refused = owner_of(&rule, &json!({"https://x.example/owner": odd}));
            let expected = NoOwner::Claim("https://x.example/owner".into());
            assert_eq!(refused, Err(expected), "{odd}");
        }
    }

    #[test]
    fn an_owner_is_made_of_issuer_and_subject_where_that_is_allowed() {
        let rule = rule(Some("tenant"), true);
        let of = |issuer: &str, subject: &str| {
            owner_of(&rule, &json!({"iss": issuer, "sub": subject})).unwrap()
        };
        let alice = of("https://id.example", "alice");
        // Kept for ever, since events are stored under it: what Python's uuid.uuid5 says too.
        assert_eq!(alice, "22f88f7e-c03d-5f41-b813-5cfc38f76390");
        assert_ne!(alice, of("https://id.example", "Alice"));
        assert_ne!(alice, of("https://other.example", "alice"));
        let no_issuer = owner_of(&rule, &json!({"sub": "alice"}));
        assert_eq!(no_issuer, Err(NoOwner::Part("iss")));
        for nobody in [json!(null), json!("")] {
            let refused = owner_of(&rule, &json!({"iss": "i", "sub": nobody}));
            assert_eq!(refused, Err(NoOwner::Part("sub")));
        }
    }
}
