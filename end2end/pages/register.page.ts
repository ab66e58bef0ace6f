import type { Locator } from "@playwright/test";
import type { User } from "../fixtures/api";
import { BasePage } from "./base.page";

export class RegisterPage extends BasePage {
  readonly path = "/register";

  get displayName(): Locator {
    return this.page.getByLabel("Display name");
  }
  get email(): Locator {
    return this.page.getByLabel("Email", { exact: true });
  }
  get password(): Locator {
    return this.page.getByLabel("Password", { exact: true });
  }
  get submit(): Locator {
    return this.page.getByRole("button", { name: "Create account", exact: true });
  }

  async create(user: User): Promise<void> {
    await this.displayName.fill(user.displayName);
    await this.email.fill(user.email);
    await this.password.fill(user.password);
    await this.submit.click();
  }
}
