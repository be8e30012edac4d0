//! How long a test waits for something that ought to happen.

use std::future::Future;
use std::time::{Duration, Instant};

/// After this long a wait is a failure; far longer than anything takes, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks of [`eventually`].
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits for `event`, and panics naming it when patience ends.
pub async fn within<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, event).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} in vain for {what}"),
    }
}

/// Looks again and again until `look` finds something.
///
/// For what nobody announces, such as a changed file that takes effect.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain for {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
