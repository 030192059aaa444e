//! Tells somebody how a job has ended.

use super::Work;
use crate::views::JobBody;
use crate::webhooks::WebhookTask;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use viseme_core::{Error, ErrorKind, Result};
use viseme_jobs::sign_webhook;

/// What the other side answered.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Delivered {
    status: u16,
}

impl Work<'_> {
    /// Sends what is to be told, signed where there is a key.
    ///
    /// # Errors
    /// `Network`, so that it is tried again, when the other side cannot be reached, is busy or fails; `Remote` when it refuses.
    pub(super) async fn webhook(&self, task: WebhookTask) -> Result<Delivered> {
        let Some(job) = self.handler.store.get(task.job).await? else {
            return Err(Error::new(ErrorKind::NotFound, "the job is not there any more"));
        };
        let event = format!("job.{}", job.state.name());
        let told = json!({ "id": self.job.id, "event": event, "created_at": job.finished_at, "job": JobBody::new(&job, None) });
        let body = told.to_string().into_bytes();
        let signature = self.handler.webhook_secret.as_ref().map(|secret| {
            let now = Timestamp::now().as_second();
            sign_webhook(secret.expose().as_bytes(), now, &body)
        });
        let id = self.job.id.to_string();
        let mut headers = vec![
            ("content-type", "application/json"),
            ("viseme-event", event.as_str()),
            ("viseme-delivery", id.as_str()),
        ];
        headers.extend(signature.as_deref().map(|signature| ("viseme-signature", signature)));
        let status = self.unless_stopped(self.handler.client.post(&task.url, &headers, body)).await?;
        match status {
            200..=299 => Ok(Delivered { status }),
            408 | 425 | 429 | 500..=599 => {
                Err(Error::new(ErrorKind::Network, format!("the webhook was answered with status {status}")))
            }
            _ => Err(Error::new(ErrorKind::Remote, format!("the webhook was refused with status {status}"))),
        }
    }
}
