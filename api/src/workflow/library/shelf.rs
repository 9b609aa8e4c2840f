//! The two shelves of the library, as far as they differ.

use crate::{
    domain::machine::{
        Machine, SkillPackageConsequence, SkillPackageStep, Step, SubagentDefinitionConsequence,
        SubagentDefinitionStep,
    },
    error::Result,
    store::{Tx, digest},
};
use entity::{
    Owned,
    approval::{self, ApprovalDecision, ApprovalSubject},
    skill_package::{self, LibraryStatus},
    subagent_definition, user,
};
use sea_orm::{ActiveValue::Set, IntoActiveModel};
use std::future::{Future, ready};

/// A table of the library whose rows are imported, decided over, and put in place of others.
pub(crate) trait Shelf:
    Machine<State = LibraryStatus> + Owned<Model: IntoActiveModel<Self::ActiveModel>>
{
    /// What people do with an entry.
    type Step: Step<Entity = Self> + Send;
    /// What becomes of an entry by itself.
    type Consequence: Step<Entity = Self> + Send;

    /// Offer it, after it waited.
    const APPROVE: Self::Step;
    /// Turn it down, after it waited.
    const REJECT: Self::Step;
    /// Offer it no longer.
    const DISABLE: Self::Step;
    /// Offer it again.
    const ENABLE: Self::Step;
    /// It was imported, or imported anew.
    const RENEW: Self::Consequence;

    /// What plans and tickets name it by.
    const SLUG: Self::Column;
    /// Where it comes from.
    const SOURCE: Self::Column;
    /// Whether it is offered.
    const STATUS_COLUMN: Self::Column;
    /// The hash of what it says.
    const CONTENT_HASH: Self::Column;
    /// What was noted about it.
    const METADATA: Self::Column;
    /// What it says.
    const CONTENT: &'static [Self::Column];

    /// The ledger's action when it is put in place of a shared one.
    const OVERRIDDEN: &'static str;
    /// … when that is changed.
    const EDITED: &'static str;
    /// … when the shared one counts again.
    const RESET: &'static str;
    /// … when it goes and nothing takes its place.
    const DELETED: &'static str;

    /// What it is, in words.
    const NOUN: &'static str;
    /// The mutation that puts one in place of a shared one.
    const OVERRIDE: &'static str;

    /// Keeps a decision as a row, where the table has such rows.
    fn keep(
        _: &mut Tx<'_>,
        _: &Self::Model,
        _: ApprovalDecision,
        _: Option<String>,
    ) -> impl Future<Output = Result<()>> + Send {
        ready(Ok(()))
    }
}

impl Shelf for skill_package::Entity {
    type Step = SkillPackageStep;
    type Consequence = SkillPackageConsequence;

    const APPROVE: SkillPackageStep = SkillPackageStep::Approve;
    const REJECT: SkillPackageStep = SkillPackageStep::Reject;
    const DISABLE: SkillPackageStep = SkillPackageStep::Disable;
    const ENABLE: SkillPackageStep = SkillPackageStep::Enable;
    const RENEW: SkillPackageConsequence = SkillPackageConsequence::Renew;

    const SLUG: Self::Column = skill_package::Column::Slug;
    const SOURCE: Self::Column = skill_package::Column::Source;
    const STATUS_COLUMN: Self::Column = skill_package::Column::Status;
    const CONTENT_HASH: Self::Column = skill_package::Column::ContentHash;
    const METADATA: Self::Column = skill_package::Column::Metadata;
    const CONTENT: &'static [Self::Column] = {
        use skill_package::Column::*;
        &[Description, Body, RequiredTools]
    };

    const OVERRIDDEN: &'static str = "skill_package.overridden";
    const EDITED: &'static str = "skill_package.edited";
    const RESET: &'static str = "skill_package.reset";
    const DELETED: &'static str = "skill_package.deleted";

    const NOUN: &'static str = "packaged skill";
    const OVERRIDE: &'static str = "overrideSkillPackage";

    async fn keep(
        tx: &mut Tx<'_>,
        entry: &skill_package::Model,
        decision: ApprovalDecision,
        reason: Option<String>,
    ) -> Result<()> {
        let whole = tx.whole::<Self>(entry).await?;
        let user_id = tx.writer().user_id().cloned();
        let user = match &user_id {
            Some(id) => tx.find::<user::Entity>(id).await?,
            None => None,
        };
        let made = approval::ActiveModel {
            subject_type: Set(ApprovalSubject::SkillPackage),
            skill_package_id: Set(Some(entry.id.clone())),
            decision: Set(decision),
            reason: Set(reason),
            user_id: Set(user_id),
            actor: Set(tx.actor()),
            actor_email: Set(user.map(|user| user.email)),
            subject_version: Set(1),
            subject_digest: Set(Some(digest::<Self>(&whole, Self::CONTENT))),
            ..Default::default()
        };
        tx.insert(made, "approval.created").await.map(drop)
    }
}

impl Shelf for subagent_definition::Entity {
    type Step = SubagentDefinitionStep;
    type Consequence = SubagentDefinitionConsequence;

    const APPROVE: SubagentDefinitionStep = SubagentDefinitionStep::Approve;
    const REJECT: SubagentDefinitionStep = SubagentDefinitionStep::Reject;
    const DISABLE: SubagentDefinitionStep = SubagentDefinitionStep::Disable;
    const ENABLE: SubagentDefinitionStep = SubagentDefinitionStep::Enable;
    const RENEW: SubagentDefinitionConsequence = SubagentDefinitionConsequence::Renew;

    const SLUG: Self::Column = subagent_definition::Column::Slug;
    const SOURCE: Self::Column = subagent_definition::Column::Source;
    const STATUS_COLUMN: Self::Column = subagent_definition::Column::Status;
    const CONTENT_HASH: Self::Column = subagent_definition::Column::ContentHash;
    const METADATA: Self::Column = subagent_definition::Column::Metadata;
    const CONTENT: &'static [Self::Column] = {
        use subagent_definition::Column::*;
        &[
            Description,
            SystemPrompt,
            AllowedTools,
            PreferredModel,
            Category,
        ]
    };

    const OVERRIDDEN: &'static str = "subagent.overridden";
    const EDITED: &'static str = "subagent.edited";
    const RESET: &'static str = "subagent.reset";
    const DELETED: &'static str = "subagent.deleted";

    const NOUN: &'static str = "specialist";
    const OVERRIDE: &'static str = "overrideSubagent";
}
