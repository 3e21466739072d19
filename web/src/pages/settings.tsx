// Settings: where each value comes from, who may come in, what is watched, who did what.

import { Link } from "../url";
import { AuditLog } from "../ui/auditlog";
import { GeneralSettings } from "../ui/generalsettings";
import { Keys } from "../ui/apikeys";
import { MeasureList } from "../ui/measurelist";
import { Redaction } from "../ui/redaction";
import { Targets } from "../ui/targets";

const SECTIONS = [
  { id: "general", name: "General", body: GeneralSettings },
  { id: "keys", name: "Keys", body: Keys },
  { id: "targets", name: "Notifications", body: Targets },
  { id: "redaction", name: "Redaction", body: Redaction },
  { id: "measures", name: "Measures", body: MeasureList },
  { id: "audit", name: "Audit", body: AuditLog },
];

/** The settings screen; each section has its own address. */
export function Settings({ section }: { section: string }) {
  const current = SECTIONS.find((item) => item.id === section) ?? SECTIONS[0];
  const Body = current?.body ?? GeneralSettings;
  return (
    <div class="page settings-page">
      <nav class="side-nav" aria-label="Settings">
        {SECTIONS.map((item) => (
          <Link key={item.id} to={`/settings/${item.id}`} aria-current={item === current ? "page" : undefined}>
            {item.name}
          </Link>
        ))}
      </nav>
      <div class="settings-body">
        <Body />
      </div>
    </div>
  );
}
