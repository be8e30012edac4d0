//! `powerstrip serve`.

use std::path::Path;

use powerstrip::app::App;
use powerstrip::telemetry;
use powerstrip::wasm::RuntimeSettings;

use super::Report;

/// Serves until it is told to stop.
pub(super) async fn run(config: &Path) -> anyhow::Result<Report> {
    telemetry::init();
    // It is this very program, even if another one has taken its place on the disk.
    let compiler = Some("/proc/self/exe".into());
    let settings = RuntimeSettings { compiler, ..super::runtime_settings() };
    let app = App::build(config.to_owned(), super::environment(), &settings).await?;
    app.run().await?;
    Ok(Report::default())
}
