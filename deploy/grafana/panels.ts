import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  MappingType,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** One line of a panel: what Prometheus is asked, and how the line is called. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** A panel as a dashboard names it; what it looks like follows from `kind`. */
export interface PanelPlan {
  /** `number`: the value now, coloured by `bounds`; `lines`: over time. */
  readonly kind: 'number' | 'lines';
  readonly title: string;
  /** What it shows, and when to worry. */
  readonly description: string;
  /** As Grafana calls it: `s`, `short`, `bytes`, `dateTimeFromNow`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Colours from these values on; the first is the lowest. Absent: none. */
  readonly bounds?: readonly { readonly from: number; readonly colour: 'green' | 'orange' | 'red' }[];
  /** Words for values: 0 and 1. */
  readonly words?: Readonly<Record<string, string>>;
}

export interface RowPlan {
  readonly title: string;
  readonly panels: readonly PanelPlan[];
}

export interface DashboardPlan {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Names of variables, and the query that gives their values. */
  readonly variables: Readonly<Record<string, string>>;
  readonly rows: readonly RowPlan[];
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana puts the chosen one in.
const datasource = { type: 'prometheus', uid: '${datasource}' };
const sizes = { number: { h: 4, w: 6 }, lines: { h: 8, w: 12 } } as const;

/** A dashboard of Grafana's; its data source is chosen at the top of the page. */
export function dashboardOf({ uid, title, description, variables, rows }: DashboardPlan): Dashboard {
  const board = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['argus'])
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .refresh('10s')
    .time({ from: 'now-1h', to: 'now' })
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'));
  for (const [name, query] of Object.entries(variables))
    board.withVariable(
      new QueryVariableBuilder(name)
        .query(query)
        .datasource(datasource)
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true),
    );
  let id = 0;
  for (const row of rows) {
    board.withRow(new RowBuilder(row.title).id(++id));
    for (const panel of row.panels) board.withPanel(panelOf(panel).id(++id));
  }
  return board.build();
}

function panelOf({ kind, title, description, unit, queries, bounds = [], words }: PanelPlan) {
  const panel = kind === 'number' ? new StatBuilder() : new TimeseriesBuilder();
  panel.title(title).description(description).unit(unit).datasource(datasource);
  panel.height(sizes[kind].h).span(sizes[kind].w);
  for (const [i, { expr, legend }] of queries.entries()) {
    const query = new DataqueryBuilder().refId(String.fromCharCode('A'.charCodeAt(0) + i)).expr(expr);
    panel.withTarget(query.legendFormat(legend).datasource(datasource));
  }
  if (bounds.length > 0)
    panel.thresholds(
      new ThresholdsConfigBuilder()
        .mode(ThresholdsMode.Absolute)
        .steps(bounds.map(({ from, colour }, i) => ({ value: i === 0 ? null : from, color: colour }))),
    );
  if (words)
    panel.mappings([
      {
        type: MappingType.ValueToText,
        options: Object.fromEntries(Object.entries(words).map(([value, text], index) => [value, { text, index }])),
      },
    ]);
  return panel;
}
