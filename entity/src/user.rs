//! `users`: the people of a tenant, what they may do and how they are reached.

use crate::prelude::*;

text_enum! {
    /// What a person may do in their tenant: an owner most, then an admin, a member and a viewer.
    UserRole {
        /// Works on meetings, briefs, goals and tickets; decides only as the tenant's delegate.
        Member,
        /// May do everything, also transfer the ownership and delete the tenant. A tenant always has one.
        Owner,
        /// Decides, and manages people, integrations, budgets and agents.
        Admin,
        /// Reads, and changes nothing but their own notifications.
        Viewer,
    }
}

text_enum! {
    /// Where a person wants to be reached first.
    PreferredChannel {
        /// By e-mail, at the address they sign in with unless they named another.
        Email,
        /// By a direct message on Slack.
        Slack,
        /// By WhatsApp.
        Whatsapp,
        /// By a direct message on Microsoft Teams.
        Teams,
        /// By text message.
        Sms,
    }
}

text_enum! {
    /// What a person does in their company. It decides which questions they are asked and permits nothing.
    UserPersona {
        /// Founded or runs the company.
        Founder,
        /// Answers for the technology as a whole.
        Cto,
        /// Answers for the product.
        Pm,
        /// Writes the software.
        Developer,
        /// Designs what users see.
        Designer,
        /// Tests what is built.
        Qa,
    }
}

/// A person's names on the channels that reach them; null where they have none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase", default)]
pub struct ChannelIds {
    /// Their Slack user id, such as `U024BE7LH`.
    pub slack: Option<String>,
    /// An e-mail address other than the one they sign in with.
    pub email: Option<String>,
    /// Their WhatsApp number in international form, such as `+4915112345678`.
    pub whatsapp: Option<String>,
    /// Their Microsoft Teams user id.
    pub teams: Option<String>,
    /// The number for text messages in international form.
    pub sms: Option<String>,
    /// Their Google Chat user id.
    pub gchat: Option<String>,
}

/// Who a person is at the provider that they sign in through.
#[derive(Clone, Debug, PartialEq, SimpleObject)]
pub struct UserIdentity {
    /// The provider, by the address that it goes by: `https://login.example`.
    pub issuer: String,
    /// What it calls the person. It stays when their address changes there, and no other account of the workspace has it.
    pub subject: String,
}

/// A person who belongs to a tenant.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "users", rename_all = "camelCase")]
#[graphql(name = "UserRow")]
pub struct Model {
    /// The user's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The address they sign in with, in lower case and unique in the tenant.
    pub email: String,
    /// Argon2id hash of their password; null when they sign in through another provider only.
    #[sea_orm(nullable)]
    #[graphql(skip)]
    pub password_hash: Secret<String>,
    /// The provider through which they sign in; null when they never did through one.
    #[graphql(skip)]
    pub identity_issuer: Option<String>,
    /// What that provider calls them, which stays when their address changes; null when they never signed in through one.
    #[graphql(skip)]
    pub identity_subject: Option<String>,
    /// What they are called.
    pub name: String,
    /// What they may do.
    pub role: UserRole,
    /// Where they want to be reached first.
    pub preferred_channel: PreferredChannel,
    /// Their names on other channels; personal, for admins and themselves only.
    #[graphql(skip)]
    pub channel_ids: Json<ChannelIds>,
    /// What they do in the company, which decides the questions they are asked; null when not told.
    pub persona: Option<UserPersona>,
    /// Whether they were shown around the product.
    pub has_seen_tour: bool,
    /// When they last signed in; null when they never did.
    pub last_login_at: Option<Timestamp>,
    /// Raised by one to end all of their sessions at once.
    pub token_version: i32,
    /// When they joined.
    pub created_at: Timestamp,
    /// When the row last changed.
    pub updated_at: Timestamp,
}

owned!(User, secret[PasswordHash]);
