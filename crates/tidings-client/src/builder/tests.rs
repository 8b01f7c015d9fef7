use reqwest::header::HeaderValue;

use super::*;

fn builder(url: &str) -> ClientBuilder {
    Client::builder(url.parse().unwrap())
}

#[test]
fn rejects_a_url_that_cannot_be_a_server() {
    for (url, fault) in [
        ("ftp://host/", UrlFault::Scheme("ftp".into())),
        ("data:x", UrlFault::Scheme("data".into())),
        ("http://user@host/", UrlFault::Credentials),
        ("https://:secret@host/", UrlFault::Credentials),
        ("http://host/?a=b", UrlFault::QueryOrFragment),
        ("http://host/#a", UrlFault::QueryOrFragment),
    ] {
        let error = builder(url).build().unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::InvalidUrl(fault), "{url}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn sends_a_token_to_other_machines_over_https_only() {
    let with_token = |url| builder(url).with_token(TokenSource::fixed("secret").unwrap());
    for url in [
        "http://localhost:9081",
        "http://LOCALHOST",
        "http://127.9.0.1",
        "http://[::1]:1/",
        "http://[::ffff:127.0.0.1]",
    ] {
        assert!(with_token(url).build().is_ok(), "{url}");
    }
    for url in [
        "http://example.org",
        "http://localhost.example.org",
        "http://10.0.0.1",
        "http://0.0.0.0:9081",
        "http://[::ffff:10.0.0.1]",
    ] {
        assert!(builder(url).build().is_ok(), "without a token: {url}");
        let error = with_token(url).build().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::PlainHttp { .. }), "{url}");
        assert!(error.to_string().contains("https"), "{error}");
        assert!(with_token(url).allow_plain_http().build().is_ok(), "{url}");
    }
}

#[test]
fn rejects_invalid_certificates() {
    const BROKEN: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (pem, fault) in [
        ("", TrustFault::NotPem),
        ("no certificate", TrustFault::NotPem),
        ("-----BEGIN CERTIFICATE-----\n", TrustFault::NotPem),
        (BROKEN, TrustFault::Unusable),
    ] {
        let builder = builder("https://host/").with_ca_certificates(pem);
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Trust(fault), "{pem}");
    }
}

fn option_fault(builder: ClientBuilder) -> Option<OptionFault> {
    match builder.build() {
        Ok(_) => None,
        Err(error) => match error.kind() {
            ErrorKind::InvalidOption(fault) => Some(fault.clone()),
            other => panic!("{other:?}"),
        },
    }
}

#[test]
fn rejects_options_that_a_ready_http_client_would_ignore() {
    let ready = || {
        let http = reqwest::Client::builder().tls_certs_only([]).build();
        builder("http://host/").with_http_client(http.unwrap())
    };
    assert_eq!(option_fault(ready()), None);
    assert_eq!(
        option_fault(ready().with_request_timeout(CONNECT_TIMEOUT)),
        None
    );
    for (builder, option) in [
        (ready().with_ca_certificates("x"), "with_ca_certificates"),
        (
            ready().with_connect_timeout(CONNECT_TIMEOUT),
            "with_connect_timeout",
        ),
        (
            ready().with_proxy("http://proxy".parse().unwrap()),
            "with_proxy",
        ),
    ] {
        assert_eq!(
            option_fault(builder),
            Some(OptionFault::Conflict { option })
        );
    }
}

#[test]
fn rejects_headers_that_the_client_sets_itself() {
    let with = |name: &'static str| {
        let headers = [(name.parse().unwrap(), HeaderValue::from_static("x"))];
        builder("http://localhost/").with_headers(HeaderMap::from_iter(headers))
    };
    assert_eq!(option_fault(with("x-tenant")), None);
    assert_eq!(option_fault(with("authorization")), None);
    let token = TokenSource::fixed("secret").unwrap();
    for builder in [
        with("accept"),
        with("last-event-id"),
        with("authorization").with_token(token),
    ] {
        let fault = option_fault(builder.clone());
        assert!(
            matches!(fault, Some(OptionFault::ReservedHeader { .. })),
            "{builder:?}"
        );
    }
}

#[test]
fn rejects_a_proxy_of_another_scheme() {
    let builder = builder("http://host/").with_proxy("socks5://proxy:1".parse().unwrap());
    let scheme = "socks5".to_owned();
    assert_eq!(
        option_fault(builder),
        Some(OptionFault::ProxyScheme { scheme })
    );
}
