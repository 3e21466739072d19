import { expect, test } from "vitest";
import { inlineOf } from "./markdown";

test("an escaped sign is the sign itself, and code keeps its backslashes", () => {
  expect(inlineOf(String.raw`index\_name \| of ${"`a\\_b`"}`)).toEqual([
    { kind: "text", text: "index_name | of " },
    { kind: "code", text: String.raw`a\_b` },
  ]);
});
