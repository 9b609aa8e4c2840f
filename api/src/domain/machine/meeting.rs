//! A meeting's states: one that is joined, one that is uploaded, one that is pasted and complete from the start.

use entity::meeting::MeetingStatus;

super::machine! {
    meeting: MeetingStatus {
        /// What a person can do with a meeting. Each is a mutation.
        MeetingStep as "MeetingStep" {
            /// Call it off: `cancelMeeting`.
            Cancel: [Scheduled, Joining, InProgress] => Cancelled, by EditMeeting, "meeting.cancelled";
        }
        /// What becomes of a meeting by itself.
        MeetingConsequence as "MeetingConsequence" {
            /// Somebody who listens for the workspace joins it.
            Join: [Scheduled] => Joining, by itself, "meeting.transitioned";
            /// It is under way.
            Begin: [Joining] => InProgress, by itself, "meeting.transitioned";
            /// Its recording has arrived, and is written down.
            Transcribe: [Uploading, Failed] => Transcribing, by itself, "meeting.transitioned";
            /// It is over, or was written down, and what was said is made out of it.
            Process: [InProgress, Transcribing] => Processing, by itself, "meeting.transitioned";
            /// All of it is there.
            Complete: [Processing] => Completed, by itself, "meeting.transitioned";
            /// It could not be listened to or written down.
            Fail: [Scheduled, Joining, InProgress, Uploading, Transcribing, Processing] => Failed, by itself, "meeting.transitioned";
        }
    }
}
