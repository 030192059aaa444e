//! Something that takes time to find out, and may be a little old.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use viseme_core::{Error, Result};

/// What is older than this is found out anew.
const FRESH: Duration = Duration::from_secs(2);

/// The last answer to a question. Nobody but the first waits for it: who finds it old has it found out anew in the background.
#[derive(Debug)]
pub(crate) struct Remembered<T> {
    last: Arc<Mutex<Option<(Instant, T)>>>,
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self { last: Arc::default() }
    }
}

impl<T: Clone + Send + 'static> Remembered<T> {
    /// The last answer; `find` finds a new one, on a thread that may wait.
    ///
    /// # Errors
    /// Those of `find`, where there is no answer yet.
    pub(crate) async fn get(&self, find: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let known = {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let known = last.as_ref().map(|(at, answer)| (at.elapsed() < FRESH, answer.clone()));
            // Whoever comes while a new one is found out is content with this one.
            if let (Some((false, _)), Some((at, _))) = (&known, last.as_mut()) {
                *at = Instant::now();
            }
            known
        };
        if let Some((true, answer)) = known {
            return Ok(answer);
        }
        let last = Arc::clone(&self.last);
        let found = tokio::task::spawn_blocking(move || {
            let answer = find()?;
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), answer.clone()));
            Ok(answer)
        });
        match known {
            Some((_, answer)) => Ok(answer),
            None => {
                found.await.map_err(|error| Error::internal("finding out panicked").with_source(error))?
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_is_found_once_and_remembered() {
        let remembered = Remembered::default();
        assert_eq!(remembered.get(|| Ok(1)).await.unwrap(), 1);
        assert_eq!(remembered.get(|| Ok(2)).await.unwrap(), 1);
        let failed = Remembered::<u8>::default();
        failed.get(|| Err(Error::internal("no"))).await.unwrap_err();
        assert_eq!(failed.get(|| Ok(3)).await.unwrap(), 3, "a failure is not remembered");
    }

    #[tokio::test]
    async fn an_old_answer_is_given_once_more_while_a_new_one_is_found() {
        let remembered = Remembered::default();
        remembered.get(|| Ok(1)).await.unwrap();
        let old = Instant::now().checked_sub(2 * FRESH).unwrap();
        remembered.last.lock().unwrap().as_mut().unwrap().0 = old;
        assert_eq!(remembered.get(|| Ok(2)).await.unwrap(), 1);
        while remembered.get(|| Ok(3)).await.unwrap() != 2 {
            tokio::task::yield_now().await;
        }
    }
}
