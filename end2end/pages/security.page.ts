import { expect, type Locator } from "@playwright/test";
import { BasePage } from "./base.page";

export class SecurityPage extends BasePage {
  readonly path = "/account/security";

  get currentPassword(): Locator {
    return this.page.getByLabel("Current password", { exact: true });
  }
  get newPassword(): Locator {
    return this.page.getByLabel("New password", { exact: true });
  }
  get changePassword(): Locator {
    return this.page.getByRole("button", { name: "Change password" });
  }
  get signOutEverywhere(): Locator {
    return this.page.getByRole("button", { name: "Sign out everywhere" });
  }
  get deletionPassword(): Locator {
    return this.page.getByLabel("Your password", { exact: true });
  }
  get deleteAccount(): Locator {
    return this.page.getByRole("button", { name: "Delete account" });
  }
  get timeline(): Locator {
    return this.page.getByRole("region", { name: "What happened" }).getByRole("listitem");
  }

  async change(current: string, next: string): Promise<void> {
    await this.currentPassword.fill(current);
    await this.newPassword.fill(next);
    await this.changePassword.click();
  }

  /** No refresh token reuse was detected. The list has loaded by then, because it contains at least the sign-in. */
  async expectNoAlarm(): Promise<void> {
    await expect(this.timeline.filter({ hasText: "Signed in" }).first()).toBeVisible();
    await expect(this.timeline.filter({ hasText: "A used token was presented again" })).toHaveCount(0);
  }

  async expectTimeline(...titles: string[]): Promise<void> {
    await expect(this.timeline).toHaveCount(titles.length);
    for (const [index, title] of titles.entries()) {
      await expect(this.timeline.nth(index)).toContainText(title);
    }
  }
}
