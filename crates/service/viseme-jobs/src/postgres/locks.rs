//! Locks that have a name, and end with the transaction.

use super::errors::failed;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use viseme_core::Result;

/// Waits until nobody else holds the lock of this name, and holds it until the transaction ends. Whoever takes several must
/// take them in the order that everybody does.
pub(super) async fn hold(sql: &mut PgConnection, name: &[&str]) -> Result<()> {
    let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(number(name));
    lock.execute(sql).await.map(drop).map_err(failed)
}

/// The database knows locks by numbers of 64 bits. Two names of the same number, however unlikely, wait for each other
/// without need.
fn number(name: &[&str]) -> i64 {
    let mut hash = Sha256::new_with_prefix("viseme");
    for part in name {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn names_are_told_apart() {
        assert_ne!(number(&["ab", "c"]), number(&["a", "bc"]));
        assert_eq!(number(&["kind", "lipsync"]), number(&["kind", "lipsync"]));
    }
}
