//! Runners that several jobs share: models are loaded once for all that want the same.

use crate::runner::Runner;
use crate::spec::JobSpec;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use viseme_core::Result;

/// Runners by what jobs want of them, the most recently used first. Called from any number of threads.
#[derive(Debug)]
pub struct RunnerPool {
    shared: Mutex<Vec<Shared>>,
    most_idle: usize,
}

/// A runner, when it is made. Who comes meanwhile waits for it.
type Made = Arc<OnceLock<Runner>>;

#[derive(Debug)]
struct Shared {
    settings: String,
    made: Made,
    /// Held while it is made, so that one thread does it and the others wait.
    making: Arc<Mutex<()>>,
}

impl RunnerPool {
    /// A pool that keeps up to `most_idle` runners that no job is using. Nothing is loaded yet.
    #[must_use]
    pub fn new(most_idle: usize) -> Self {
        Self { shared: Mutex::default(), most_idle }
    }

    /// Does `work` with a runner for `spec`, made now or for an earlier job that wanted the same.
    ///
    /// # Errors
    /// Those of [`Runner::for_spec`] and of `work`. The next job tries anew to make a runner that could not be made.
    pub fn with<T>(&self, spec: &JobSpec, work: impl FnOnce(&Runner) -> Result<T>) -> Result<T> {
        let (made, making) = self.take(Runner::settings(spec));
        let done = get_or_make(&made, &making, spec).and_then(work);
        drop((made, making));
        self.forget_idle();
        done
    }

    fn take(&self, settings: String) -> (Made, Arc<Mutex<()>>) {
        let mut shared = self.lock();
        let known = shared.iter().position(|one| one.settings == settings);
        let one = known.map(|position| shared.remove(position));
        let one = one.unwrap_or_else(|| Shared { settings, made: Arc::default(), making: Arc::default() });
        let taken = (Arc::clone(&one.made), Arc::clone(&one.making));
        shared.insert(0, one);
        taken
    }

    fn forget_idle(&self) {
        let mut idle = 0;
        self.lock().retain(|one| {
            let is_idle = Arc::strong_count(&one.made) == 1;
            idle += usize::from(is_idle);
            // A runner that could not be made is of no use to anybody.
            !is_idle || (idle <= self.most_idle && one.made.get().is_some())
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Shared>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn get_or_make<'a>(made: &'a Made, making: &Mutex<()>, spec: &JobSpec) -> Result<&'a Runner> {
    if let Some(runner) = made.get() {
        return Ok(runner);
    }
    let _making = making.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runner) = made.get() {
        return Ok(runner);
    }
    let runner = Runner::for_spec(spec)?;
    Ok(made.get_or_init(|| runner))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(expression: f32) -> JobSpec {
        let mut spec = JobSpec::new("a.mp4", "b.wav", "c.mp4");
        spec.engine.expression = expression;
        spec
    }

    fn address(pool: &RunnerPool, spec: &JobSpec) -> usize {
        pool.with(spec, |runner| Ok(std::ptr::from_ref(runner) as usize)).unwrap()
    }

    #[test]
    fn jobs_that_want_the_same_share_a_runner() {
        let pool = RunnerPool::new(2);
        let first = address(&pool, &spec(1.0));
        assert_ne!(first, address(&pool, &spec(0.5)));
        assert_eq!(first, address(&pool, &spec(1.0)));
        assert_eq!(pool.lock().len(), 2);
        address(&pool, &spec(0.7));
        let kept: Vec<String> = pool.lock().iter().map(|one| one.settings.clone()).collect();
        assert_eq!(kept, [Runner::settings(&spec(0.7)), Runner::settings(&spec(1.0))]);
    }

    #[test]
    fn a_runner_that_cannot_be_made_is_not_kept() {
        let pool = RunnerPool::new(2);
        let mut spec = spec(1.0);
        spec.engine.name = "abacus".to_owned();
        pool.with(&spec, |_| Ok(())).unwrap_err();
        assert_eq!(pool.lock().len(), 0);
    }

    #[test]
    fn a_runner_in_use_is_kept_whatever_comes() {
        let pool = RunnerPool::new(0);
        let (one, other) = (spec(1.0), spec(0.5));
        pool.with(&one, |outer| {
            pool.with(&other, |_| Ok(()))?;
            pool.with(&one, |inner| {
                assert!(std::ptr::eq(outer, inner));
                Ok(())
            })
        })
        .unwrap();
        assert_eq!(pool.lock().len(), 0);
    }
}
