//! `users`

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub email: String,
    #[sea_orm(unique)]
    pub email_normalised: String,
    /// `None`: not filled in yet, or another account has the same mailbox.
    #[sea_orm(unique)]
    pub mailbox: Option<String>,
    pub password_hash: String,
    pub display_name: Option<String>,
    pub role: String,
    pub token_epoch: i32,
    pub disabled_at: Option<i64>,
    pub created_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
