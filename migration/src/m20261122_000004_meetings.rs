//! Meetings, the versions of their transcripts, and the runs that turn audio into one.

use crate::table::{
    OnDelete::{Cascade, Refuse, SetNull},
    Table,
};

pub(crate) fn tables() -> Vec<Table> {
    vec![meetings(), transcripts(), whisper_transcriptions()]
}

fn meetings() -> Table {
    Table::standard("meetings")
        .parent("projectId", "projects", Refuse)
        .parent("goalId", "goals", SetNull)
        .text("title")
        .text("context")
        .nullable()
        .word(
            "source",
            &[
                "upload",
                "paste",
                "google_meet",
                "voice_dialin",
                "recall",
                "vexa",
            ],
        )
        .default("'upload'")
        .word(
            "status",
            &[
                "scheduled",
                "joining",
                "in_progress",
                "uploading",
                "transcribing",
                "processing",
                "completed",
                "failed",
                "cancelled",
            ],
        )
        .default("'scheduled'")
        .text("externalId")
        .nullable()
        .text("meetingUrl")
        .nullable()
        .timestamp("startTime")
        .timestamp("endTime")
        .nullable()
        .json("participants")
        .default("'[]'")
        .integer("participantCount")
        .default("0")
        .text("audioKey")
        .nullable()
        .parent("uploadedById", "users", SetNull)
        .text("failureReason")
        .nullable()
        .json("metadata")
        .default("'{}'")
        .json("insights")
        .nullable()
        // No foreign key: transcripts point to meetings, and SQLite cannot add the second half of a cycle.
        .text("currentTranscriptId")
        .nullable()
        .integer("durationSeconds")
        .nullable()
        .integer("wordCount")
        .nullable()
        .row_check(r#"("status" = 'failed') = ("failureReason" IS NOT NULL)"#)
        .index(&["tenantId", "projectId", "startTime DESC", "id"])
        .index(&["tenantId", "status"])
        .unique_where(&["tenantId", "externalId"], r#""externalId" IS NOT NULL"#)
}

fn transcripts() -> Table {
    Table::append_only("transcripts")
        .parent("meetingId", "meetings", Cascade)
        .integer("version")
        .default("1")
        .check(r#""version" >= 1"#)
        .word(
            "source",
            &["whisper", "gemini_live", "bot", "paste", "edit"],
        )
        .json("segments")
        .default("'[]'")
        .text("fullText")
        .integer("duration")
        .default("0")
        .integer("wordCount")
        .default("0")
        .json("speakers")
        .default("'[]'")
        .text("language")
        .nullable()
        .parent("transcriptionId", "whisper_transcriptions", SetNull)
        .parent("editedById", "users", SetNull)
        .text("editNote")
        .nullable()
        .unique(&["meetingId", "version"])
}

fn whisper_transcriptions() -> Table {
    Table::standard("whisper_transcriptions")
        .parent("meetingId", "meetings", Cascade)
        .word(
            "status",
            &["queued", "running", "succeeded", "failed", "cancelled"],
        )
        .default("'queued'")
        .word("provider", &["local", "openai", "deepgram"])
        .nullable()
        .json("providerChain")
        .default(r#"'["local","openai"]'"#)
        .text("model")
        .nullable()
        .text("language")
        .nullable()
        .text("domainPrompt")
        .nullable()
        .max(1000)
        .text("audioKey")
        .nullable()
        .text("fileName")
        .nullable()
        .text("contentType")
        .nullable()
        .big_integer("sizeBytes")
        .nullable()
        .integer("chunkCount")
        .default("0")
        .integer("chunksDone")
        .default("0")
        .integer("durationSeconds")
        .nullable()
        .big_integer("costMicros")
        .nullable()
        .integer("attempt")
        .default("1")
        .text("error")
        .nullable()
        .timestamp("startedAt")
        .nullable()
        .timestamp("completedAt")
        .nullable()
        .timestamp("audioDeletedAt")
        .nullable()
        .parent("requestedById", "users", SetNull)
        .index(&["tenantId", "status"])
        .unique_where(&["meetingId"], r#""status" IN ('queued', 'running')"#)
}
