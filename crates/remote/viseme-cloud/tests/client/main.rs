//! The client against servers and name servers that lie, dawdle and break off.

#![expect(clippy::unwrap_used, reason = "test code: a failed set-up is a failed test")]

mod addresses;
mod downloads;
mod secrets;
mod server;
mod tls;
mod uploads;
mod webhooks;

use server::Server;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use viseme_cloud::{Lookup, LookupFuture, NetworkPolicy, RemoteUrl, SafeClient};

/// A policy that admits this very server and nothing else that is private. Its times are so long that they never end a test
/// that does not want it.
fn policy_for(server: &Server) -> NetworkPolicy {
    NetworkPolicy {
        allowed_hosts: vec![server.site().parse().unwrap()],
        connect_timeout: Duration::from_mins(1),
        idle_timeout: Duration::from_mins(2),
        ..NetworkPolicy::default()
    }
}

fn client_for(server: &Server) -> SafeClient {
    SafeClient::new(policy_for(server)).unwrap()
}

fn url(text: &str) -> RemoteUrl {
    text.parse().unwrap()
}

/// A name server that gives one answer after the other, and at last none.
#[derive(Debug, Clone)]
struct Names {
    answers: Arc<Mutex<VecDeque<Vec<IpAddr>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Names {
    fn new(answers: &[&[&str]]) -> Self {
        let answers = answers.iter().map(|answer| answer.iter().map(|text| text.parse().unwrap()).collect());
        Self { answers: Arc::new(Mutex::new(answers.collect())), asked: Arc::default() }
    }

    /// The names that were asked for.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Lookup for Names {
    fn lookup(&self, host: &str) -> LookupFuture {
        self.asked.lock().unwrap().push(host.to_owned());
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or_default();
        Box::pin(std::future::ready(Ok(answer)))
    }
}
