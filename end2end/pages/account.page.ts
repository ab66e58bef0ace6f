import { expect, type Locator } from "@playwright/test";
import type { User } from "../fixtures/api";
import { BasePage } from "./base.page";

export class AccountPage extends BasePage {
  readonly path = "/account";

  get displayName(): Locator {
    return this.page.getByLabel("Display name");
  }

  /** The page shows this person's data, so there is a working access token; the marker alone is the server's guess. */
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
    // What happens to the session in one tab must not meet the other's first questions.
    await other.expectAtRest();
    return other;
  }

  /** Until the server has ended the session. The page forgets its token before that, so its marker alone is too early. */
  async signOut(): Promise<void> {
    await this.expectAtRest();
    const answered = this.page.waitForResponse((response) => response.url().endsWith("/api/auth/logout"));
    await this.signOutButton.click();
    expect((await answered).status()).toBe(204);
    await this.expectSession("anonymous");
  }
}
