import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.FileInputStream;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.ExecutionConfig;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;
import org.apache.flink.connector.kafka.source.enumerator.KafkaSourceEnumStateSerializer;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplitSerializer;
import org.apache.flink.core.fs.CloseableRegistry;
import org.apache.flink.core.io.SimpleVersionedSerialization;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.RoundRobinOperatorStateRepartitioner;
import org.apache.flink.runtime.state.DefaultOperatorStateBackendBuilder;
import org.apache.flink.runtime.state.OperatorStateHandle;

/**
 * The Kafka splits of a `_metadata` as Flink itself restores them, at a given parallelism: a line for each split of a
 * reader's subtask, then one for each that an enumerator has given out.
 */
public class Splits {
    private static final ClassLoader LOADER = Splits.class.getClassLoader();

    public static void main(String[] args) throws Exception {
        int parallelism = Integer.parseInt(args[1]);
        try (DataInputStream in = new DataInputStream(new FileInputStream(args[0]))) {
            for (OperatorState operator : Checkpoints.loadCheckpointMetadata(in, LOADER, args[0]).getOperatorStates()) {
                readers(operator, parallelism);
                if (operator.getCoordinatorState() != null) enumerator(operator.getCoordinatorState().getData());
            }
        }
    }

    private static void readers(OperatorState operator, int parallelism) throws Exception {
        List<List<OperatorStateHandle>> before = new ArrayList<>();
        boolean found = false;
        for (int i = 0; i < operator.getParallelism(); i++) {
            List<OperatorStateHandle> handles = new ArrayList<>();
            if (operator.getState(i) != null) handles.addAll(operator.getState(i).getManagedOperatorState());
            for (OperatorStateHandle handle : handles)
                found |= handle.getStateNameToPartitionOffsets().containsKey("SourceReaderState");
            before.add(handles);
        }
        if (!found) return;
        List<List<OperatorStateHandle>> after =
                RoundRobinOperatorStateRepartitioner.INSTANCE.repartitionState(before, before.size(), parallelism);
        for (int i = 0; i < parallelism; i++) {
            var backend =
                    new DefaultOperatorStateBackendBuilder(
                                    LOADER, new ExecutionConfig(), false, after.get(i), new CloseableRegistry())
                            .build();
            var state =
                    backend.getListState(
                            new ListStateDescriptor<>("SourceReaderState", BytePrimitiveArraySerializer.INSTANCE));
            for (byte[] bytes : state.get())
                print(
                        "reader " + i,
                        SimpleVersionedSerialization.readVersionAndDeSerialize(
                                new KafkaPartitionSplitSerializer(), bytes));
        }
    }

    private static void enumerator(byte[] bytes) throws Exception {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
        in.readInt();
        int version = in.readInt();
        byte[] state = new byte[in.readInt()];
        in.readFully(state);
        for (KafkaPartitionSplit split : new KafkaSourceEnumStateSerializer().deserialize(version, state).assignedSplits())
            print("enumerator", split);
    }

    private static void print(String holder, KafkaPartitionSplit split) {
        System.out.printf("%s: %s-%d at %d%n", holder, split.getTopic(), split.getPartition(), split.getStartingOffset());
    }
}
