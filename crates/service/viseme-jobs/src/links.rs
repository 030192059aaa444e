//! Signatures: links that open one file for some time, and webhooks that the receiver can check.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::fmt;
use std::fmt::Write;
use subtle::ConstantTimeEq;
use viseme_core::{Error, Result};

/// A secret shorter than what HMAC-SHA256 gives out weakens it (RFC 2104, section 3).
const SHORTEST_SECRET: usize = 32;

/// Signs links to a route of ours, so that whoever has the link may read what it leads to until it expires.
///
/// The signature is HMAC-SHA256 over the method `GET`, the path and the time: no link can be turned into another.
#[derive(Clone)]
pub struct LinkSigner {
    key: Hmac<Sha256>,
}

/// Why a link does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkFault {
    /// It was good, and its time is over.
    Expired,
    /// It is not as it was signed, or not signed with this secret.
    Altered,
}

impl LinkSigner {
    /// Signs with `secret`, which all processes of a service share.
    ///
    /// # Errors
    /// `InvalidInput` when it has fewer than 32 bytes.
    pub fn new(secret: &[u8]) -> Result<Self> {
        if secret.len() < SHORTEST_SECRET {
            return Err(Error::invalid_input("the secret for signed links is too short")
                .with_hint("Use 32 random bytes or more: `openssl rand -hex 32`."));
        }
        Ok(Self { key: keyed(secret) })
    }

    /// The query that opens `path` until `expires_at`: `expires=UNIX&signature=HEX`. `path` is the one that will be in the
    /// request, with its leading slash and without a query.
    #[must_use]
    pub fn query(&self, path: &str, expires_at: Timestamp) -> String {
        let expires = expires_at.as_second();
        format!("expires={expires}&signature={}", self.signature(path, expires))
    }

    /// Whether a link opens at `now`. `expires` and `signature` are those of its query.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check(&self, path: &str, expires: i64, signature: &str, now: Timestamp) -> Result<(), LinkFault> {
        let right = self.signature(path, expires);
        if !bool::from(right.as_bytes().ct_eq(signature.as_bytes())) {
            return Err(LinkFault::Altered);
        }
        if now.as_second() >= expires { Err(LinkFault::Expired) } else { Ok(()) }
    }

    fn signature(&self, path: &str, expires: i64) -> String {
        // No path holds a line break: the three cannot run into each other.
        let signed = format!("GET\n{path}\n{expires}");
        hex(&self.key.clone().chain_update(signed).finalize().into_bytes())
    }
}

impl fmt::Debug for LinkSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkSigner(..)")
    }
}

/// The header that signs a webhook: `t=UNIX,v1=HEX`, HMAC-SHA256 over `UNIX.BODY`. The receiver makes the same with the
/// secret, and refuses a time too far from its own: then nobody can send an old one again.
#[must_use]
pub fn sign_webhook(secret: &[u8], timestamp: i64, body: &[u8]) -> String {
    let mac = keyed(secret).chain_update(format!("{timestamp}.")).chain_update(body);
    format!("t={timestamp},v1={}", hex(&mac.finalize().into_bytes()))
}

/// HMAC with a key of any length: one longer than a block is hashed first (RFC 2104, section 2).
fn keyed(secret: &[u8]) -> Hmac<Sha256> {
    let mut block = [0; 64];
    let hashed = Sha256::digest(secret);
    let key = if secret.len() > block.len() { hashed.as_slice() } else { secret };
    block[..key.len()].copy_from_slice(key);
    Hmac::new(&block.into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"an ox in the rain, and 32 bytes of it";
    const PATH: &str = "/v1/jobs/0192f0c1-7b3a-7000-8000-000000000000/files/output.mp4";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The two values of a query.
    fn parts(query: &str) -> (i64, String) {
        let (expires, signature) = query.split_once('&').unwrap();
        let signature = signature.strip_prefix("signature=").unwrap().to_owned();
        (expires.strip_prefix("expires=").unwrap().parse().unwrap(), signature)
    }

    #[test]
    fn a_link_opens_what_it_was_signed_for_until_it_expires() {
        let signer = LinkSigner::new(SECRET).unwrap();
        let (expires, signature) = parts(&signer.query(PATH, at(1_800_000_000)));
        assert_eq!(signer.check(PATH, expires, &signature, at(1_799_999_999)), Ok(()));
        assert_eq!(signer.check(PATH, expires, &signature, at(1_800_000_000)), Err(LinkFault::Expired));
    }

    #[test]
    fn a_link_opens_nothing_else() {
        let signer = LinkSigner::new(SECRET).unwrap();
        let (expires, signature) = parts(&signer.query(PATH, at(1_800_000_000)));
        let now = at(1_700_000_000);
        let altered = Err(LinkFault::Altered);
        assert_eq!(signer.check("/v1/jobs/other", expires, &signature, now), altered);
        assert_eq!(signer.check(&format!("{PATH}/"), expires, &signature, now), altered);
        assert_eq!(signer.check(PATH, expires + 1, &signature, now), altered);
        assert_eq!(signer.check(PATH, expires, &signature[1..], now), altered);
        assert_eq!(signer.check(PATH, expires, "", now), altered);
        assert_eq!(signer.check(PATH, expires, &signature.to_uppercase(), now), altered);
        let other = LinkSigner::new(&[7; 32]).unwrap();
        assert_eq!(other.check(PATH, expires, &signature, now), altered);
    }

    #[test]
    fn secrets_are_long_and_never_shown() {
        assert!(LinkSigner::new(&[7; 31]).is_err());
        assert_eq!(format!("{:?}", LinkSigner::new(SECRET).unwrap()), "LinkSigner(..)");
    }

    #[test]
    fn webhooks_are_signed_as_python_signs_them() {
        // hmac.new(b"whsec", b'1700000000.{"id":1}', "sha256").hexdigest(), and with a key of 100 times "k".
        let short = sign_webhook(b"whsec", 1_700_000_000, br#"{"id":1}"#);
        assert_eq!(short, "t=1700000000,v1=e79220cb981f992adbc8b93ac6d46028b0217ea19327d27dc9d18bf334403bde");
        let long = sign_webhook(&[b'k'; 100], 1_700_000_000, br#"{"id":1}"#);
        assert_eq!(long, "t=1700000000,v1=316ab633a1f9a5b00e78da836a991c77a15e567848b716992cac91528f8b9df1");
    }
}
