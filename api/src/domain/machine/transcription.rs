//! The states of a run that writes a recording down.

use entity::whisper_transcription::WhisperTranscriptionStatus;

super::machine! {
    whisper_transcription: WhisperTranscriptionStatus {
        /// What becomes of a run.
        TranscriptionStep as "TranscriptionStep" {
            /// Somebody who transcribes takes it.
            Start: [Queued] => Running, by itself, "transcription.started";
            /// The transcript is there.
            Finish: [Running] => Succeeded, by itself, "transcription.done";
            /// No provider could write it down.
            Fail: [Running] => Failed, by itself, "transcription.failed";
            /// It is not needed any more.
            Cancel: [Queued, Running] => Cancelled, by itself, "transcription.cancelled";
            /// After it failed, it is tried again.
            Retry: [Failed] => Queued, by itself, "transcription.retried";
        }
    }
}
