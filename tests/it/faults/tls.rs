//! Whose certificates are trusted: the system's, those that the scenario names, everybody's; and how the client says who it is. The certificates are
//! those of `tests/fixtures/tls`.

use std::sync::Arc;

use bench::servers::client::HttpExchange;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::{DONE, TOKEN, ask, failure};
use crate::stage::{Stage, said, stderr, stdout};

const FOLDER: &str = "tests/fixtures/tls";

/// A server with this certificate, and with what it asks of its clients.
fn config(name: &str, wants_client: bool) -> ServerConfig {
    let chain = CertificateDer::pem_file_iter(format!("{FOLDER}/{name}.pem")).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{FOLDER}/{name}.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let builder = if wants_client {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(format!("{FOLDER}/authority.pem")).unwrap()).unwrap();
        builder.with_client_cert_verifier(WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    builder.with_single_cert(chain, key).unwrap()
}

/// Answers one request, where the session comes about.
async fn serve_once(stream: TcpStream, config: ServerConfig) -> std::io::Result<()> {
    let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await?;
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break String::from_utf8_lossy(&bytes[..end + 4]).to_lowercase();
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |length| length.parse().unwrap());
    while bytes.len() < head.len() + length {
        stream.read_buf(&mut bytes).await?;
    }
    let (status, body) = if head.starts_with("post /v1/chat/completions ") {
        ("200 OK", format!("{TOKEN}{DONE}"))
    } else {
        ("404 Not Found", String::new())
    };
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: text/event-stream\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    stream.shutdown().await
}

/// Answers whoever comes, as long as the future is polled.
async fn serve_all(listener: TcpListener, config: ServerConfig) {
    let mut open = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        open.spawn(serve_once(stream, config.clone()));
    }
}

/// What one request to such a server comes to.
async fn asked(name: &str, wants_client: bool, fields: Value) -> HttpExchange {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        // How it went is for the client to say.
        let _ = serve_once(stream, config(name, wants_client)).await;
    };
    tokio::join!(ask(&url, fields), server).0
}

fn file(name: &str) -> String {
    format!("{FOLDER}/{name}")
}

#[tokio::test]
async fn a_server_is_trusted_by_its_authority_by_itself_or_unseen() {
    for (server, fields) in [
        ("server", json!({ "ca_file": file("authority.pem") })),
        ("own", json!({ "ca_file": file("own.pem") })),
        ("own", json!({ "insecure": true })),
        ("server", json!({ "insecure": true })),
    ] {
        let exchange = asked(server, false, fields.clone()).await;
        assert_eq!((exchange.failure.as_ref(), exchange.answer.as_str()), (None, "a"), "{server}, {fields}");
    }
}

#[test]
fn the_environment_s_certificates_stand_for_the_system_s() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    runtime.spawn(serve_all(listener, config("server", false)));
    let stage = Stage::new();
    let authority = std::path::absolute(file("authority.pem")).unwrap();
    let words = [
        "run",
        "requests",
        "--concurrency",
        "1",
        "--requests",
        "2",
        "--answer-tokens",
        "1",
        "--url",
        &url,
        "--model",
        "m",
        "--results",
        "out",
    ];
    let output = stage.command(&words).env("SSL_CERT_FILE", authority).output().unwrap();
    assert_eq!(stage.json(&format!("{}/run.json", stage.only_run("out").display()))["counts"]["failed"], json!(0), "{}", said(&output));
}

#[test]
fn a_run_that_checked_no_certificate_says_so_wherever_it_is_shown() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    runtime.spawn(serve_all(listener, config("own", false)));
    let stage = Stage::new();
    let words =
        ["run", "requests", "--concurrency", "1", "--requests", "2", "--answer-tokens", "1", "--url", &url, "--model", "m", "--results"];
    let refused = stage.run(&[&words[..], &["refused"]].concat());
    assert!(said(&refused).contains("target.ca_file = \"FILE.pem\"") && !refused.status.success(), "{}", said(&refused));
    let output = stage.run(&[&words[..], &["insecure", "--set", "target.insecure=true"]].concat());
    let note = "certificate was not checked";
    assert!(stderr(&output).contains(note), "{}", said(&output));
    assert!(stdout(&output).contains(note), "{}", said(&output));
    for file in ["report/report.md", "report/report.html"] {
        assert!(fs_err::read_to_string(stage.path("insecure").join(file)).unwrap().contains(note), "{file}");
    }
    let run = stage.json(&format!("{}/run.json", stage.only_run("insecure").display()));
    assert_eq!(run["cell"]["target"]["insecure"], json!(true));
    assert!(run["notes"].to_string().contains(note));
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_tls() {
    for (server, fields) in [
        ("server", json!({})),
        ("own", json!({})),
        ("server", json!({ "ca_file": file("own.pem") })),
        ("own", json!({ "ca_file": file("authority.pem") })),
    ] {
        let exchange = asked(server, false, fields.clone()).await;
        let (kind, detail) = failure(&exchange);
        assert_eq!(kind, "tls", "{server}, {fields}: {detail}");
        assert!(detail.contains("certificate"), "{detail}");
    }
}

#[tokio::test]
async fn a_client_says_who_it_is_by_its_certificate() {
    let trusts = |more: Value| {
        let mut fields = json!({ "ca_file": file("authority.pem") });
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fields
    };
    let named = trusts(json!({ "client_certificate": file("client.pem"), "client_key": file("client.key") }));
    assert_eq!(asked("server", true, named).await.failure, None);
    assert!(asked("server", true, trusts(json!({}))).await.failure.is_some());
}

#[test]
fn a_new_scenario_holds_the_certificates_by_which_its_server_was_asked() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    runtime.spawn(serve_all(listener, config("server", true)));
    let [authority, certificate, key] =
        ["authority.pem", "client.pem", "client.key"].map(|name| std::path::absolute(file(name)).unwrap().display().to_string());
    let stage = Stage::new();
    let words = ["init", "--url", &url, "--model", "m", "-o", "my.toml"];
    let unknown = stage.run(&words);
    assert!(unknown.status.code() == Some(2) && !stage.path("my.toml").exists(), "{}", said(&unknown));
    let flags = ["--ca-file", &authority, "--client-certificate", &certificate, "--client-key", &key];
    let output = stage.run(&[&words[..], &flags].concat());
    assert!(stdout(&output).contains("a small request was answered"), "{}", said(&output));
    let scenario = fs_err::read_to_string(stage.path("my.toml")).unwrap();
    for (name, path) in [("ca_file", authority), ("client_certificate", certificate), ("client_key", key)] {
        assert!(scenario.contains(&format!("\n{name} = \"{path}\"\n")), "{scenario}");
    }
    let alone = stage.run(&[&words[..], &["--client-key", "my.key"]].concat());
    assert!(alone.status.code() == Some(2) && stderr(&alone).contains("--client-certificate"), "{}", said(&alone));
}
