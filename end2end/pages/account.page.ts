import { expect, type Locator } from "@playwright/test";
import type { User } from "../fixtures/api";
import { BasePage } from "./base.page";

export class AccountPage extends BasePage {
  readonly path = "/account";

  get displayName(): Locator {
    return this.page.getByLabel("Display name");
  }

  /** The page shows this user's data, so it has a working access token. The marker alone is only the server's guess. */
  async expectFor(user: User): Promise<void> {
    await this.expectHere();
    await this.expectSession("signed-in");
    await expect(this.page.getByText(user.email).first()).toBeVisible();
    await expect(this.signOutButton).toBeEnabled();
  }

  /** The same page in another tab of the same browser. */
  async openAnother(user: User): Promise<AccountPage> {
    const other = new AccountPage(await this.page.context().newPage());
    await other.open();
    await other.expectFor(user);
    // Changes of the session in one tab must not meet the other tab's first requests.
    await other.expectAtRest();
    return other;
  }

  /**
   * Waits until the server has ended the session. The page clears its token earlier, so its marker alone is too early.
   */
  async signOut(): Promise<void> {
    await this.expectAtRest();
    const answered = this.page.waitForResponse((response) => response.url().endsWith("/api/auth/logout"));
    await this.signOutButton.click();
    expect((await answered).status()).toBe(204);
    await this.expectSession("anonymous");
  }
}
