//! Words of other systems for the parts of a cause, without case and separators.

/// Other words for the headline. They apply only if the headline is empty.
pub(super) const HEADLINES: [&str; 7] = [
    "title",
    "message",
    "msg",
    "summary",
    "text",
    "reasonphrase",
    "name",
];

/// Other words for the details.
pub(super) const DETAILS: [&str; 15] = [
    "detail",
    "details",
    "description",
    "longmessage",
    "errordescription",
    "errordetail",
    "errordetails",
    "stack",
    "stacktrace",
    "trace",
    "traceback",
    "exception",
    "output",
    "stderr",
    "body",
];

/// Other words for the probable cause.
pub(super) const CAUSES: [&str; 5] = ["cause", "causes", "causedby", "reason", "rootcause"];

/// Other words for the suggested remediation.
pub(super) const REMEDIES: [&str; 19] = [
    "remedy",
    "remedies",
    "remediation",
    "suggestion",
    "suggestions",
    "resolution",
    "solution",
    "hint",
    "help",
    "fix",
    "howtofix",
    "hints",
    "solutions",
    "resolutions",
    "recommendation",
    "recommendations",
    "nextsteps",
    "workaround",
    "mitigation",
];
