//! `sessions`

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub token_epoch: i32,
    pub generation: i32,
    #[sea_orm(unique)]
    pub current_jti: Uuid,
    pub previous_jti: Option<Uuid>,
    pub rotated_at: i64,
    pub confirmed: bool,
    pub confirmed_at: Option<i64>,
    pub refresh_kid: String,
    pub refresh_issued_at: i64,
    pub refresh_expires_at: i64,
    pub absolute_expires_at: i64,
    pub remember: bool,
    pub created_at: i64,
    pub last_used_at: i64,
    pub revoked_at: Option<i64>,
    pub revoke_reason: Option<String>,
    pub user_agent: Option<String>,
    pub ip: Option<String>,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
