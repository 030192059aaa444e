//! Every code that an error can have, for the description of the service.

use serde::Serialize;

/// What a code means.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct ErrorCode {
    /// The code.
    pub(crate) code: &'static str,
    /// The status that it mostly comes with; 422 where a field of valid JSON has a value that cannot be.
    pub(crate) status: u16,
    /// What has happened.
    pub(crate) meaning: &'static str,
    /// What the client can do.
    pub(crate) remedy: &'static str,
}

const fn code(code: &'static str, status: u16, meaning: &'static str, remedy: &'static str) -> ErrorCode {
    ErrorCode { code, status, meaning, remedy }
}

/// All codes: those of the library, and those that only a server has.
pub(crate) const CODES: [ErrorCode; 20] = [
    code(
        "invalid_input",
        400,
        "The request, an address or a file cannot be used. 422 when the JSON is valid and a value in it is not.",
        "Change what `param` names; `hint` says how.",
    ),
    code("unauthorized", 401, "No token was shown, or none of ours.", "Send Authorization: Bearer TOKEN."),
    code(
        "forbidden",
        403,
        "A link was altered or has expired; or a request without a token came from another machine.",
        "Ask for the job again: it comes with a new link.",
    ),
    code(
        "not_found",
        404,
        "There is no such job, file or address; what belongs to another token counts as absent, and so does what was kept for \
         long enough.",
        "Look at the name.",
    ),
    code("method_not_allowed", 405, "The address does not take this method.", "Look at the list above."),
    code(
        "conflict",
        409,
        "The job is in a state that does not allow this: not ended, already ended, called off.",
        "Ask for the job and wait, cancel or retry it.",
    ),
    code("cancelled", 409, "The job was called off.", "Retry it if it is wanted after all."),
    code(
        "limit_exceeded",
        413,
        "A file or a body is too large, a video too long, or has too many pixels.",
        "Send less; the message names the limit.",
    ),
    code(
        "unsupported",
        415,
        "A format or a function that is not there.",
        "Convert the file, or choose something else.",
    ),
    code(
        "not_acceptable",
        406,
        "The address has nothing in the form that was asked for.",
        "Change the header Accept.",
    ),
    code(
        "internal",
        500,
        "The server failed. Its log knows the request by `request_id`.",
        "Try again; tell who runs it.",
    ),
    code("output_not_writable", 500, "The server cannot write its files.", "Tell who runs it."),
    code(
        "network",
        502,
        "An address that the client named could not be reached. Jobs are tried again by themselves.",
        "See that the address answers.",
    ),
    code(
        "remote",
        502,
        "The server at an address that the client named refused: no such file, or a signature that has expired.",
        "Sign the address anew.",
    ),
    code("missing_tool", 503, "A program that the server needs is not installed.", "Tell who runs it."),
    code(
        "model_missing",
        503,
        "The engine that was asked for has no weights here.",
        "Take another engine, or `fallback`; GET /v1/engines says which are ready.",
    ),
    code("not_ready", 503, "The server is starting, or its stores do not answer.", "Try again soon."),
    code(
        "worker_lost",
        500,
        "The worker that had the job was not heard of any more, as often as the job may be tried.",
        "Retry it; if it happens again, a smaller video may do.",
    ),
    code(
        "timed_out",
        504,
        "A job took longer than it may, or a file too long to arrive. 408 when it is the request that did not arrive.",
        "Give the job a higher time_limit_s, or a shorter video.",
    ),
    code(
        "disk_full",
        507,
        "There is no room for the files.",
        "Delete jobs that are done with, or try later.",
    ),
];

#[cfg(test)]
mod tests {
    use super::CODES;
    use std::collections::BTreeSet;
    use viseme_core::ErrorKind;

    #[test]
    fn every_kind_of_error_is_explained_once() {
        let codes: BTreeSet<&str> = CODES.iter().map(|code| code.code).collect();
        assert_eq!(codes.len(), CODES.len());
        for kind in ErrorKind::ALL {
            let explained = CODES.iter().find(|code| code.code == kind.name());
            assert_eq!(explained.map(|code| code.status), Some(kind.http_status()), "{}", kind.name());
        }
    }
}
