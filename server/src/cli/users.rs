//! `keyturn users`: manages accounts, for operators.

use std::io::{BufRead, IsTerminal};

use clap::{Args, Subcommand, ValueEnum};
use password_policy::Rules;
use rotation::{Role, UserId};
use store::users::{NewUser, User};
use web::{
    accounts::{breached_password, display_name, email::Email},
    passwords::{Password, Passwords},
};

use super::{
    error::CliError,
    operator::{Operator, format_time},
};

#[derive(Debug, Subcommand)]
pub(super) enum UsersCommand {
    /// Create an account; the password is the first line of standard input, or is asked for on a terminal
    Create {
        /// The email address to sign in with
        #[arg(value_name = "EMAIL")]
        email: String,
        /// The name that the account's pages show
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
        /// What the account may do: `admin` opens the administration page
        #[arg(long, value_enum, default_value = "user", value_name = "ROLE")]
        role: RoleName,
    },
    /// List accounts with address, role and state, the oldest first
    List {
        /// Only accounts whose address contains this text
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Disable an account and end its sessions; nothing is deleted
    Disable(AccountArgument),
    /// Enable a disabled account; its ended sessions stay ended
    Enable(AccountArgument),
    /// Delete an account with its sessions and its security timeline, for good
    Delete(AccountArgument),
    /// Give an account another role, and end its sessions
    SetRole {
        #[command(flatten)]
        who: AccountArgument,
        /// The new role
        #[arg(value_enum, value_name = "ROLE")]
        role: RoleName,
    },
    /// Set a new password and end the account's sessions; the password is read as by `create`
    SetPassword(AccountArgument),
    /// Forget the wrong passwords of an account, so that new browsers can sign in immediately
    Unlock(AccountArgument),
}

#[derive(Debug, Args)]
pub(super) struct AccountArgument {
    /// The account's email address or id
    #[arg(value_name = "EMAIL|ID")]
    account: String,
}

impl AccountArgument {
    pub(super) const fn new(account: String) -> Self {
        Self { account }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum RoleName {
    User,
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::User => Self::User,
            RoleName::Admin => Self::Admin,
        }
    }
}

/// How many accounts are read at a time.
const PAGE: u64 = 500;

pub(super) async fn run(command: UsersCommand, operator: &Operator) -> Result<(), CliError> {
    match command {
        UsersCommand::Create {
            email,
            display_name,
            role,
        } => create(operator, &email, display_name.as_deref(), role.into()).await,
        UsersCommand::List { search } => list(operator, search.as_deref()).await,
        UsersCommand::Disable(who) => {
            let user = find(operator, &who).await?;
            let changed = operator
                .store
                .disable_user(user.id, &operator.audit_context())
                .await?;
            operator.finish_account_revocations().await?;
            report(
                &user,
                changed,
                "is disabled now, and its sessions have ended",
                "was disabled already",
            );
            Ok(())
        }
        UsersCommand::Enable(who) => {
            let user = find(operator, &who).await?;
            let changed = operator
                .store
                .enable_user(user.id, &operator.audit_context())
                .await?;
            report(&user, changed, "is enabled now", "was not disabled");
            Ok(())
        }
        UsersCommand::Delete(who) => {
            let user = find(operator, &who).await?;
            let changed = operator
                .store
                .delete_user(user.id, &operator.audit_context())
                .await?;
            operator.finish_account_revocations().await?;
            report(&user, changed, "is deleted", "was deleted in between");
            Ok(())
        }
        UsersCommand::SetRole { who, role } => set_role(operator, &who, role.into()).await,
        UsersCommand::SetPassword(who) => set_password(operator, &who).await,
        UsersCommand::Unlock(who) => unlock(operator, &who).await,
    }
}

async fn create(operator: &Operator, email: &str, name: Option<&str>, role: Role) -> Result<(), CliError> {
    let email = Email::parse(email).map_err(|error| CliError::Refused(error.message))?;
    let display_name = display_name::parse(name.unwrap_or_default());
    let display_name = display_name.map_err(|error| CliError::Refused(error.message))?;
    let password_hash = new_password(operator, email.shown()).await?;
    let user = NewUser {
        id: UserId::new(operator.clock.now(), operator.random.bytes()),
        email: email.shown().to_owned(),
        email_normalised: email.normalised().to_owned(),
        mailbox: email.mailbox().to_owned(),
        password_hash,
        display_name,
        role,
        created_at: operator.clock.now(),
    };
    if operator.store.create_user(&user).await? {
        println!("{} is created: {}, {}.", user.email, role.as_str(), user.id);
        Ok(())
    } else {
        Err(CliError::Refused(format!(
            "{} has an account already",
            user.email
        )))
    }
}

async fn list(operator: &Operator, search: Option<&str>) -> Result<(), CliError> {
    let search = search.map(|text| text.trim().to_lowercase());
    let mut after = None;
    println!("ID\tROLE\tCREATED\tDISABLED\tEMAIL");
    loop {
        let page = operator.store.users(search.as_deref(), after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.id);
        for user in &page {
            println!(
                "{}\t{}\t{}\t{}\t{}",
                user.id,
                user.stored_role,
                format_time(user.created_at),
                user.disabled_at.map_or_else(|| "-".to_owned(), format_time),
                user.email
            );
        }
    }
}

async fn set_role(operator: &Operator, who: &AccountArgument, role: Role) -> Result<(), CliError> {
    let user = find(operator, who).await?;
    let changed = operator
        .store
        .set_role(user.id, role, &operator.audit_context())
        .await?;
    operator.finish_account_revocations().await?;
    let done = format!("is {} now, and its sessions have ended", role.as_str());
    report(&user, changed, &done, "had that role already");
    Ok(())
}

async fn set_password(operator: &Operator, who: &AccountArgument) -> Result<(), CliError> {
    let user = find(operator, who).await?;
    let hash = new_password(operator, &user.email).await?;
    let changed = operator
        .store
        .set_password(user.id, &hash, &operator.audit_context())
        .await?;
    if changed {
        // Failed guesses at the old password do not count against the new one.
        operator.store.unlock(user.id).await?;
    }
    operator.finish_account_revocations().await?;
    report(
        &user,
        changed,
        "has a new password, and its sessions have ended",
        "was deleted in between",
    );
    Ok(())
}

async fn unlock(operator: &Operator, who: &AccountArgument) -> Result<(), CliError> {
    let user = find(operator, who).await?;
    let failures = operator.store.unlock(user.id).await?;
    let done = format!("can sign in immediately: {failures} failed sign-ins are forgotten");
    report(&user, failures > 0, &done, "had no failed sign-ins");
    Ok(())
}

/// Reads a password, validates it like a registration does, and hashes it.
async fn new_password(operator: &Operator, email: &str) -> Result<store::users::PasswordHash, CliError> {
    let password = Password::new(read_password()?);
    let rules = Rules {
        min_length: operator.config.passwords.min_length,
        email,
        current: None,
    };
    password_policy::check(password.expose(), &rules)
        .map_err(|refusal| CliError::Refused(refusal.sentence()))?;
    let passwords = Passwords::new(&operator.config.passwords, operator.random.clone())
        .map_err(web::state::StartError::from)?;
    let failed = |error| CliError::from(web::state::StartError::from(error));
    if passwords.is_breached(&password).await.map_err(failed)? {
        return Err(CliError::Refused(breached_password("password").message));
    }
    passwords.hash(password).await.map_err(failed)
}

/// The first line of standard input without its line ending. On a terminal it is prompted for and not echoed.
fn read_password() -> Result<String, CliError> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Ok(rpassword::prompt_password("Password: ")?);
    }
    let mut line = String::new();
    stdin.lock().read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

pub(super) async fn find(operator: &Operator, who: &AccountArgument) -> Result<User, CliError> {
    let by_id = match who.account.parse::<UserId>() {
        Ok(id) => operator.store.user(id).await?,
        Err(_) => None,
    };
    if let Some(user) = by_id {
        return Ok(user);
    }
    let by_email = match Email::parse(&who.account) {
        Ok(email) => {
            let store = &operator.store;
            store.user_by_address(email.normalised(), email.mailbox()).await?
        }
        Err(_) => None,
    };
    by_email.ok_or_else(|| {
        let account = &who.account;
        CliError::Refused(format!(
            "there is no account {account}; `keyturn users list` shows all"
        ))
    })
}

fn report(user: &User, changed: bool, done: &str, nothing: &str) {
    println!("{} {}.", user.email, if changed { done } else { nothing });
}
