package argus.lab;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Counts the events of a key. Three states, three RocksDB column families: with two subtasks a checkpoint then
 * references well over ten files, so that moving one to another bucket is a real task.
 */
class Counter extends KeyedProcessFunction<String, Event, Count> {
    private static final long serialVersionUID = 1;

    private transient ValueState<Long> count;
    private transient ValueState<String> lastId;
    private transient ValueState<Long> lastSeq;

    @Override
    public void open(OpenContext context) {
        count = getRuntimeContext().getState(new ValueStateDescriptor<>("count", Types.LONG));
        lastId = getRuntimeContext().getState(new ValueStateDescriptor<>("last-id", Types.STRING));
        lastSeq = getRuntimeContext().getState(new ValueStateDescriptor<>("last-seq", Types.LONG));
    }

    @Override
    public void processElement(Event event, Context context, Collector<Count> out) throws Exception {
        Long before = count.value();
        long now = (before == null ? 0 : before) + 1;
        count.update(now);
        lastId.update(event.id);
        lastSeq.update(event.seq);
        out.collect(new Count(context.getCurrentKey(), now, event.id, event.seq));
    }
}
