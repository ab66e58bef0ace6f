//! `token_blacklist`

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "token_blacklist")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub jti: Uuid,
    pub session_id: Uuid,
    pub generation: i32,
    pub reason: String,
    pub blacklisted_at: i64,
    pub expires_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
