//! `powerstrip serve`.

use std::path::Path;

use powerstrip::app::App;
use powerstrip::telemetry;

use super::Report;

/// Serves until it is told to stop.
pub(super) async fn run(config: &Path) -> anyhow::Result<Report> {
    telemetry::init();
    let app =
        App::build(config.to_owned(), super::environment(), &super::runtime_settings()).await?;
    app.run().await?;
    Ok(Report::default())
}
