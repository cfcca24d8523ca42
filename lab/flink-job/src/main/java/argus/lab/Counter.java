package argus.lab;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Counts the events of a key. It keeps more than it reports: each state is a RocksDB column family, and with six of
 * them and two subtasks a checkpoint references well over ten files, so that moving one to another bucket is a real
 * task.
 */
class Counter extends KeyedProcessFunction<String, Event, Count> {
    private static final long serialVersionUID = 1;

    private transient ValueState<Long> count;
    private transient ValueState<String> lastId;
    private transient ValueState<Long> lastSeq;
    private transient ValueState<String> firstId;
    private transient ValueState<Long> firstSeq;
    private transient ValueState<Long> seqSum;

    @Override
    public void open(OpenContext context) {
        count = numbers("count");
        lastId = texts("last-id");
        lastSeq = numbers("last-seq");
        firstId = texts("first-id");
        firstSeq = numbers("first-seq");
        seqSum = numbers("seq-sum");
    }

    @Override
    public void processElement(Event event, Context context, Collector<Count> out) throws Exception {
        Long before = count.value();
        long now = (before == null ? 0 : before) + 1;
        if (before == null) {
            firstId.update(event.id);
            firstSeq.update(event.seq);
        }
        Long sum = seqSum.value();
        seqSum.update((sum == null ? 0 : sum) + event.seq);
        count.update(now);
        lastId.update(event.id);
        lastSeq.update(event.seq);
        out.collect(new Count(context.getCurrentKey(), now, event.id, event.seq));
    }

    private ValueState<Long> numbers(String name) {
        return getRuntimeContext().getState(new ValueStateDescriptor<>(name, Types.LONG));
    }

    private ValueState<String> texts(String name) {
        return getRuntimeContext().getState(new ValueStateDescriptor<>(name, Types.STRING));
    }
}
