import { expect, type Locator } from "@playwright/test";
import type { User } from "../fixtures/api";
import { BasePage } from "./base.page";

type Deed = "Disable" | "Enable" | "End sessions of";

/** The administrators' page. */
export class UsersPage extends BasePage {
  readonly path = "/admin/users";

  get link(): Locator {
    return this.page.getByRole("navigation", { name: "Account" }).getByRole("link", { name: "Users" });
  }
  get search(): Locator {
    return this.page.getByLabel("Search by email");
  }
  get entries(): Locator {
    return this.page.getByRole("list", { name: "Accounts" }).getByRole("listitem");
  }
  get showMore(): Locator {
    return this.page.getByRole("button", { name: "Show more" });
  }

  entry({ email }: Pick<User, "email">): Locator {
    return this.entries.filter({ has: this.page.getByRole("heading", { name: email, exact: true }) });
  }
  button(deed: Deed, { email }: Pick<User, "email">): Locator {
    return this.page.getByRole("button", { name: `${deed} ${email}`, exact: true });
  }
  said(text: string): Locator {
    return this.page.getByRole("status").filter({ hasText: text });
  }

  async find({ email }: Pick<User, "email">): Promise<void> {
    await expect(this.page.getByRole("button", { name: "Search", exact: true })).toBeEnabled();
    await this.search.fill(email);
    await this.search.press("Enter");
    await expect(this.said(`1 account matches “${email}”.`)).toBeVisible();
    await expect(this.entry({ email })).toBeVisible();
  }
}
