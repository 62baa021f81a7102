UNIT_test_metrics_page := $(BUILD)/obj/metrics/page.o $(BUILD)/obj/metrics/messages.o
